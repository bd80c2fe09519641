import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { checkFiles } from '../config/check-files.ts'
import { ConfigError } from '../config/config-error.ts'
import type { ConfigFile } from '../config/file-source.ts'
import { type Flag, type ParsedConfig, parseConfig } from '../config/parse-config.ts'
import { systemTimezone } from './system-timezone.ts'

/** No configuration is longer: something else was named. */
const LONGEST_FILE = 1024 * 1024

/**
 * Reads the configuration: the file named by `--config` or LANDLINE_CONFIG, else `./landline.toml` if it is there.
 * Throws ConfigError.
 */
export function loadConfig(o: {
  /** From `--config`. */
  file: string | undefined
  flags: readonly Flag[]
  env: Readonly<Record<string, string | undefined>>
  directory: string
}): ParsedConfig {
  const parsed = parseConfig({
    file: readFile(o),
    env: o.env,
    flags: o.flags,
    directory: o.directory,
    systemTimezone: systemTimezone(),
    parseToml: Bun.TOML.parse,
    resolvePath: (directory, path) => resolve(directory, path),
    readText: decode,
  })
  checkFiles(parsed, decode)
  return parsed
}

function readFile(o: {
  file: string | undefined
  env: Readonly<Record<string, string | undefined>>
  directory: string
}): ConfigFile | null {
  const named = o.file ?? (o.env.LANDLINE_CONFIG?.trim() || undefined)
  const name = named ?? 'landline.toml'
  const path = resolve(o.directory, name)
  if (named === undefined && !existsSync(path)) return null
  try {
    return { name, text: decode(path), directory: dirname(path) }
  } catch (error) {
    throw new ConfigError(
      `${name}: cannot be read: ${error instanceof Error ? error.message : error}`,
    )
  }
}

/** The text of a file. Throws an Error that completes "cannot be read: …". */
function decode(path: string): string {
  try {
    const about = statSync(path)
    if (about.isDirectory()) throw new Error('it is a directory')
    if (about.size > LONGEST_FILE) throw new Error('it is longer than 1 MiB')
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path))
  } catch (error) {
    throw new Error(reasonOf(error), { cause: error })
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof TypeError) return 'it is not UTF-8 text'
  const { code } = error as { code?: unknown }
  if (code === 'ENOENT') return 'there is no such file'
  if (code === 'EACCES') return 'this user may not read it'
  return error instanceof Error ? error.message : String(error)
}
