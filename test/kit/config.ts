/** Reads a configuration in tests: `landline.toml` in `/etc/l`, the working directory `/work`, files handed in. */
import { ConfigError } from '../../src/config/config-error.ts'
import { type Flag, type ParsedConfig, parseConfig } from '../../src/config/parse-config.ts'

export interface Given {
  toml?: string
  env?: Record<string, string>
  flags?: Flag[]
  files?: Record<string, string>
}

export function parse({ toml, env = {}, flags = [], files = {} }: Given): ParsedConfig {
  return parseConfig({
    file: toml === undefined ? null : { name: 'landline.toml', text: toml, directory: '/etc/l' },
    env,
    flags,
    directory: '/work',
    systemTimezone: 'Europe/Vienna',
    parseToml: Bun.TOML.parse,
    resolvePath: (directory, path) => (path.startsWith('/') ? path : `${directory}/${path}`),
    readText(path) {
      const text = files[path]
      if (text === undefined) throw new Error('there is no such file')
      return text
    },
  })
}

/** The one line with which it is refused. */
export function refusal(given: Given): string {
  try {
    parse(given)
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    throw error
  }
  throw new Error('the configuration was taken')
}
