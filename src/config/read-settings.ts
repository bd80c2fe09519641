/** Reads a table of settings from flags, environment and file, and remembers where each value came from. */
import { ConfigError, showValue, wrongSetting } from './config-error.ts'
import { WrongValue } from './kinds.ts'
import type { Setting, Values } from './settings.ts'

/** A value as it was given: text (a variable, a flag) or a TOML value. */
export type Given = ({ text: string } | { toml: unknown }) & {
  /** `landline.toml:12`, `LANDLINE_HTTP_PORT`, `--port`. */
  origin: string
  /** What a path among the values is relative to. */
  directory: string
}

export interface ShownSetting {
  key: string
  /** As TOML writes it; `[secret]` for a secret that is set, `none` for what is not. */
  value: string
  /** `default`, or where it was given. */
  origin: string
}

export interface Reader {
  /** The values of a table whose keys lie under `prefix` (`''`, `sip.trunks[0].`). Throws ConfigError. */
  read<Table extends Record<string, Setting<unknown>>>(table: Table, prefix: string): Values<Table>
  /** Where the value of a key came from. */
  originOf(path: string): string
  /** Shows a value that was read elsewhere. */
  note(key: string, value: string, origin: string): void
  shown(): ShownSetting[]
}

interface ReaderOptions {
  /** Where a key may be given, the strongest first. */
  levels: readonly ((path: string) => Given | undefined)[]
  /** What a default path is relative to. */
  defaultDirectory: string
  resolvePath(directory: string, path: string): string
  readText(path: string): string
}

export function createReader(o: ReaderOptions): Reader {
  const shown = new Map<string, ShownSetting>()
  const note = (key: string, value: string, origin: string): void => {
    shown.set(key, { key, value, origin })
  }
  return {
    read(table, prefix) {
      const values: Record<string, unknown> = {}
      for (const [name, setting] of Object.entries(table)) {
        const path = `${prefix}${name}`
        const { value, origin } = readOne(o, path, setting)
        values[name] = value
        note(path, showSetting(setting as Setting<unknown>, value), origin)
      }
      return values as Values<typeof table>
    },
    originOf: (path) => shown.get(path)?.origin ?? 'default',
    note,
    shown: () => [...shown.values()],
  }
}

function readOne(
  o: ReaderOptions,
  path: string,
  setting: Setting<unknown>,
): { value: unknown; origin: string } {
  for (const level of o.levels) {
    const given = present(level(path), setting)
    const file = setting.secret ? present(level(`${path}_file`), setting) : undefined
    if (given && file)
      throw new ConfigError(`${path} and ${path}_file are both given (${file.origin}): keep one`)
    const found = file ? readSecretFile(o, `${path}_file`, file) : given
    if (!found) continue
    return { value: toValue(o, path, setting, found), origin: found.origin }
  }
  const value = setting.path ? resolveDefault(o, setting.default) : setting.default
  return { value, origin: 'default' }
}

function resolveDefault(o: ReaderOptions, value: unknown): unknown {
  return typeof value === 'string' ? o.resolvePath(o.defaultDirectory, value) : value
}

/** An empty variable counts as absent, except for a list: there it is the empty list. */
function present(given: Given | undefined, setting: Setting<unknown>): Given | undefined {
  if (!given || !('text' in given)) return given
  return given.text.trim() === '' && !Array.isArray(setting.default) ? undefined : given
}

function toValue(o: ReaderOptions, path: string, setting: Setting<unknown>, given: Given): unknown {
  const raw = 'text' in given ? given.text : given.toml
  const fail = (wrong: string): ConfigError =>
    wrongSetting({
      key: path,
      value: setting.secret ? '[secret]' : hasUserInfo(raw) ? '[hidden]' : showValue(raw),
      wrong,
      where: given.origin,
    })
  if (setting.notYet) throw fail('is not available yet')
  try {
    const value =
      'text' in given ? setting.kind.fromText(given.text) : setting.kind.fromToml(given.toml)
    return setting.path && typeof value === 'string' ? o.resolvePath(given.directory, value) : value
  } catch (error) {
    if (error instanceof WrongValue) throw fail(error.message)
    throw error
  }
}

/** A URL with a password in it is a secret, though it stands where none belongs. */
function hasUserInfo(raw: unknown): boolean {
  return typeof raw === 'string' && /\/\/[^/]*@/.test(raw)
}

/** A secret is what its file holds, less the line break at its end. */
function readSecretFile(o: ReaderOptions, key: string, given: Given): Given {
  const raw = 'text' in given ? given.text.trim() : given.toml
  const fail = (wrong: string): ConfigError =>
    wrongSetting({ key, value: showValue(raw), wrong, where: given.origin })
  if (typeof raw !== 'string' || raw === '') throw fail('must be the name of a file')
  try {
    const text = o.readText(o.resolvePath(given.directory, raw)).trim()
    return { toml: text, origin: given.origin, directory: given.directory }
  } catch (error) {
    throw fail(`cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function showSetting(setting: Setting<unknown>, value: unknown): string {
  if (setting.secret) return value === null ? 'none' : '[secret]'
  return setting.kind.show(value)
}
