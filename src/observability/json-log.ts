import type { Log } from '../core/log.ts'
import { redact, redactText } from './redact.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export interface LogOptions {
  /** The least level that is written. */
  level: LogLevel
  /** `auto`: pretty on a terminal, else one JSON object a line. */
  format: 'auto' | 'pretty' | 'json'
  /** Where lines go, each with its line break; stdout when left out. Must not throw. */
  write?(line: string): void
  /** Whether lines go to a terminal; stdout's answer when left out. */
  isTerminal?: boolean
}

/** Names that the line itself uses: a field with such a name gets a `_`. */
const OWN_NAMES = new Set(['level', 'time', 'msg'])

/** Opens the log of the process: one line an event, `time`, `level`, `msg` and the fields, redacted. */
export async function openLog(o: LogOptions): Promise<Log> {
  const { pino } = await import('pino')
  const isTerminal = o.isTerminal ?? process.stdout.isTTY === true
  const pretty = o.format === 'pretty' || (o.format === 'auto' && isTerminal)
  const logger = pino(
    {
      level: o.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      // Errors are made safe with the other fields; pino's own way would write them anew.
      serializers: { err: (value: unknown) => value },
      formatters: { level: (label) => ({ level: label }) },
    },
    await openStream(o, pretty, isTerminal),
  )
  const at =
    (level: LogLevel) =>
    (message: string, fields: Record<string, unknown> = {}): void => {
      if (logger.isLevelEnabled(level))
        logger[level](rename(redact(fields, { personal: level === 'debug' })), redactText(message))
    }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

async function openStream(
  o: LogOptions,
  pretty: boolean,
  isTerminal: boolean,
): Promise<{ write(line: string): void }> {
  const target = o.write ? { write: o.write } : await openStdout()
  if (!pretty) return target
  const { prettyFactory } = await import('pino-pretty')
  const toPretty = prettyFactory({
    colorize: isTerminal,
    translateTime: 'SYS:HH:MM:ss.l',
    singleLine: true,
    errorLikeObjectKeys: [],
  })
  return { write: (line) => target.write(toPretty(line)) }
}

/** Synchronous, so that the last line before an exit is not lost; a reader that went away is no error. */
async function openStdout(): Promise<{ write(line: string): void }> {
  const { pino } = await import('pino')
  const stdout = pino.destination({ dest: 1, sync: true })
  stdout.on('error', () => undefined)
  return { write: (line) => void stdout.write(line) }
}

function rename(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [OWN_NAMES.has(name) ? `${name}_` : name, value]),
  )
}
