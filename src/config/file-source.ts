/** The keys of `landline.toml`: flat, known, each with its line. */
import { ConfigError, showValue, wrongSetting } from './config-error.ts'
import { LIST_TABLES, nearestKey, SECTIONS, SETTING_PATHS, toPattern } from './setting-paths.ts'
import { findTomlLines } from './toml-lines.ts'

export interface ConfigFile {
  /** As the owner named it: errors begin with it. */
  name: string
  text: string
  /** What relative paths in it are relative to. */
  directory: string
}

export interface FileSource {
  has(path: string): boolean
  get(path: string): unknown
  /** `landline.toml:12`. */
  where(path: string): string
  /** How many tables a list of tables has. */
  count(list: string): number
}

export const emptyFileSource: FileSource = {
  has: () => false,
  get: () => undefined,
  where: () => '',
  count: () => 0,
}

export function readConfigFile(file: ConfigFile, parseToml: (text: string) => unknown): FileSource {
  const tree = parseTree(file, parseToml)
  const lines = findTomlLines(file.text)
  const values = new Map<string, unknown>()
  const counts = new Map<string, number>()
  const where = (path: string): string => {
    for (let at = path; at; at = at.replace(/(^|\.)[^.]*$/, '')) {
      const line = lines.get(at) ?? lines.get(at.replace(/\[\d+\]$/, ''))
      if (line !== undefined) return `${file.name}:${line}`
    }
    return file.name
  }
  const walk = (table: object, prefix: string): void => {
    for (const [key, value] of Object.entries(table)) {
      const path = prefix ? `${prefix}.${key}` : key
      if (SETTING_PATHS.has(toPattern(path))) values.set(path, value)
      else if (LIST_TABLES.has(path)) walkList(path, value)
      else if (SECTIONS.has(path)) {
        if (!isTable(value)) throw wrong(path, value, `must be a table: [${path}]`, where(path))
        walk(value, path)
      } else throw wrong(path, value, unknownKey(path), where(path))
    }
  }
  const walkList = (path: string, value: unknown): void => {
    if (!Array.isArray(value) || !value.every(isTable))
      throw wrong(path, value, `must be a list of tables: [[${path}]]`, where(path))
    counts.set(path, value.length)
    for (const [index, table] of value.entries()) walk(table, `${path}[${index}]`)
  }
  walk(tree, '')
  return {
    has: (path) => values.has(path),
    get: (path) => values.get(path),
    where,
    count: (list) => counts.get(list) ?? 0,
  }
}

function parseTree(file: ConfigFile, parseToml: (text: string) => unknown): object {
  try {
    const tree = parseToml(file.text)
    return isTable(tree) ? tree : {}
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    const line = brokenLine(file.text, parseToml)
    throw new ConfigError(`${file.name}${line ? `:${line}` : ''}: ${reason}`)
  }
}

/** Files with more lines than this are not searched: each line costs one parse. */
const MOST_LINES_SEARCHED = 2000

/** The parser does not tell where it failed: it is the line after the longest beginning that parses. */
function brokenLine(text: string, parseToml: (text: string) => unknown): number | undefined {
  const lines = text.split('\n')
  if (lines.length > MOST_LINES_SEARCHED) return undefined
  for (let count = lines.length - 1; count > 0; count--)
    if (parses(lines.slice(0, count).join('\n'), parseToml)) return count + 1
  return 1
}

function parses(text: string, parseToml: (text: string) => unknown): boolean {
  try {
    parseToml(text)
    return true
  } catch {
    return false
  }
}

function isTable(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function unknownKey(path: string): string {
  const near = nearestKey(path)
  return near ? `unknown key; did you mean ${near}?` : 'unknown key'
}

/** A secret under a misspelt key must not reach the terminal either. */
function wrong(path: string, value: unknown, what: string, where: string): ConfigError {
  const hide = /pass|secret|key|token|auth/i.test(`${path} ${nearestKey(path) ?? ''}`)
  const shown = hide ? '[hidden]' : Array.isArray(value) ? '[ … ]' : showValue(value)
  return wrongSetting({ key: path, value: shown, wrong: what, where })
}
