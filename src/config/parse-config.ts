import { checkConfig } from './check-config.ts'
import {
  buildConfig,
  buildTrunk,
  type Config,
  type RateConfig,
  type TrunkConfig,
} from './config.ts'
import { ConfigError, wrongSetting } from './config-error.ts'
import { type ConfigFile, emptyFileSource, readConfigFile } from './file-source.ts'
import { splitCommas } from './kinds.ts'
import { createReader, type Given, type Reader, type ShownSetting } from './read-settings.ts'
import { nearestVariable, VARIABLES, variableOf } from './setting-paths.ts'
import { RATE_SETTINGS, SETTINGS, type SettingKey, TRUNK_SETTINGS } from './settings.ts'

/** A setting given on the command line. */
export interface Flag {
  key: SettingKey
  /** As it was written: `--port`. */
  flag: string
  text: string
}

export interface ConfigInput {
  /** Null when there is none: everything else then has its default. */
  file: ConfigFile | null
  env: Readonly<Record<string, string | undefined>>
  flags: readonly Flag[]
  /** The working directory: what paths of variables and flags are relative to. */
  directory: string
  systemTimezone: string
  /** Throws on what is not TOML. */
  parseToml(text: string): unknown
  /** `path`, or `path` under `directory` when it is relative. */
  resolvePath(directory: string, path: string): string
  /** Reads the file that holds a secret; throws when it cannot. */
  readText(path: string): string
}

export interface ParsedConfig {
  config: Config
  /** The file that was read, as the owner named it; null when there was none. */
  file: string | null
  /** Every setting, secrets blanked, with where it came from. */
  shown: ShownSetting[]
  /** One line each; nothing here keeps the configuration from being used. */
  warnings: string[]
}

/**
 * The configuration: flags before environment before file before defaults.
 * Throws ConfigError, one line that names the key, its value, what is wrong and where it stands.
 */
export function parseConfig(input: ConfigInput): ParsedConfig {
  const file = input.file ? readConfigFile(input.file, input.parseToml) : emptyFileSource
  const fileDirectory = input.file?.directory ?? input.directory
  const reader = createReader({
    levels: [
      (path) => fromFlag(input, path),
      (path) => fromEnvironment(input, path),
      (path) =>
        file.has(path)
          ? { toml: file.get(path), origin: file.where(path), directory: fileDirectory }
          : undefined,
    ],
    defaultDirectory: fileDirectory,
    resolvePath: input.resolvePath,
    readText: input.readText,
  })
  const values = reader.read(SETTINGS, '')
  const trunkCount = Math.max(file.count('sip.trunks'), hasTrunkVariable(input.env) ? 1 : 0)
  const config = buildConfig(values, {
    trunks: Array.from({ length: trunkCount }, (_, i) => readTrunk(reader, i, file.where)),
    rates: readRates(input, reader, file.count('billing.rates'), file.where),
    systemTimezone: input.systemTimezone,
  })
  checkConfig(config, reader.originOf)
  return {
    config,
    file: input.file?.name ?? null,
    shown: reader.shown(),
    warnings: unknownVariables(input.env),
  }
}

function fromFlag(input: ConfigInput, path: string): Given | undefined {
  const flag = input.flags.find(({ key }) => key === path)
  return flag && { text: flag.text, origin: flag.flag, directory: input.directory }
}

/** An empty variable counts as absent, except where the empty list is a value. */
function fromEnvironment(input: ConfigInput, path: string): Given | undefined {
  const name = variableOf(path)
  const text = name === undefined ? undefined : input.env[name]
  if (name === undefined || text === undefined) return undefined
  return { text, origin: name, directory: input.directory }
}

function hasTrunkVariable(env: ConfigInput['env']): boolean {
  return Object.entries(env).some(
    ([name, text]) => VARIABLES.has(name) && name.startsWith('LANDLINE_TRUNK_') && text?.trim(),
  )
}

function readTrunk(reader: Reader, index: number, where: (path: string) => string): TrunkConfig {
  const path = `sip.trunks[${index}]`
  const values = reader.read(TRUNK_SETTINGS, `${path}.`)
  if (values.host === null) throw missing(`${path}.host`, where(path) || 'LANDLINE_TRUNK_HOST')
  return buildTrunk(values, values.host, index)
}

function readRates(
  input: ConfigInput,
  reader: Reader,
  count: number,
  where: (path: string) => string,
): RateConfig[] {
  const variable = input.env.LANDLINE_BILLING_RATES?.trim()
  if (variable) return parseRates(variable, reader)
  return Array.from({ length: count }, (_, index) => {
    const path = `billing.rates[${index}]`
    const rate = reader.read(RATE_SETTINGS, `${path}.`)
    if (rate.prefix === null) throw missing(`${path}.prefix`, where(path))
    if (rate.cents_per_minute === null) throw missing(`${path}.cents_per_minute`, where(path))
    return { prefix: rate.prefix, centsPerMinute: rate.cents_per_minute }
  })
}

/** `+44=3,+4479=12`: the rates of the variable take the place of the file's. */
function parseRates(variable: string, reader: Reader): RateConfig[] {
  return splitCommas(variable).map((part, index) => {
    const match = /^(\+\d{1,15})\s*=\s*(\d{1,9})$/.exec(part)
    if (!match?.[1])
      throw wrongSetting({
        key: 'billing.rates',
        value: JSON.stringify(variable),
        wrong: 'must be prefixes with their cents per minute, such as "+44=3,+4479=12"',
        where: 'LANDLINE_BILLING_RATES',
      })
    const rate = { prefix: match[1], centsPerMinute: Number(match[2]) }
    reader.note(`billing.rates[${index}].prefix`, `"${rate.prefix}"`, 'LANDLINE_BILLING_RATES')
    reader.note(
      `billing.rates[${index}].cents_per_minute`,
      String(rate.centsPerMinute),
      'LANDLINE_BILLING_RATES',
    )
    return rate
  })
}

function missing(key: string, where: string): ConfigError {
  return new ConfigError(`${key} is missing (${where})`)
}

function unknownVariables(env: ConfigInput['env']): string[] {
  return Object.keys(env)
    .filter((name) => name.startsWith('LANDLINE_') && !VARIABLES.has(name))
    .sort()
    .map((name) => {
      const near = nearestVariable(name)
      return `unknown variable ${name}${near ? `; did you mean ${near}?` : ''}`
    })
}
