/** A configuration that cannot be used: one line, shown to the owner as it is; the command exits with 2. */
export class ConfigError extends Error {
  constructor(message: string) {
    super(oneLine(message))
    this.name = 'ConfigError'
  }
}

const LONGEST_VALUE = 80

/** `key = value: what is wrong (where)`. */
export function wrongSetting(o: {
  key: string
  value: string
  wrong: string
  where: string
}): ConfigError {
  return new ConfigError(`${o.key} = ${o.value}: ${o.wrong} (${o.where})`)
}

/** A value as the owner wrote it, cut to a readable length. */
export function showValue(value: unknown): string {
  const text =
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? '{ … }'
      : (JSON.stringify(value) ?? String(value))
  return text.length <= LONGEST_VALUE ? text : `${text.slice(0, LONGEST_VALUE)}…`
}

function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach the terminal.
  return text.replace(/[\x00-\x1f\x7f-\x9f]+/g, ' ').trim()
}
