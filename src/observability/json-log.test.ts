import { describe, expect, it } from 'vitest'
import type { Log } from '../core/log.ts'
import { type LogOptions, openLog } from './json-log.ts'

async function setup(o: Partial<LogOptions> = {}): Promise<{ log: Log; lines: string[] }> {
  const lines: string[] = []
  const log = await openLog({
    level: 'info',
    format: 'json',
    write: (line) => void lines.push(line),
    ...o,
  })
  return { log, lines }
}

describe('the log', () => {
  it('writes one JSON object a line, with time, level, message and fields', async () => {
    const { log, lines } = await setup()
    log.info('serving', { url: 'http://127.0.0.1:3000' })
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(/^[^\n]+\n$/)
    const { time, ...rest } = JSON.parse(lines[0] ?? '')
    expect(rest).toEqual({ level: 'info', msg: 'serving', url: 'http://127.0.0.1:3000' })
    expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  })

  it('writes nothing below its level', async () => {
    const { log, lines } = await setup({ level: 'warn' })
    log.debug('a')
    log.info('b')
    log.warn('c')
    log.error('d')
    expect(lines.map((line) => JSON.parse(line).level)).toEqual(['warn', 'error'])
  })

  it('holds back what was said at info and above, even where debug is on', async () => {
    const { log, lines } = await setup({ level: 'debug' })
    log.info('turn', { text: 'canary' })
    log.error('turn', { transcript: ['canary'] })
    log.debug('turn', { text: 'canary' })
    expect(lines.map((line) => line.includes('canary'))).toEqual([false, false, true])
  })

  it('cannot be made to write a second line or its own names', async () => {
    const { log, lines } = await setup()
    log.warn('bad\n{"level":"info"}', { reason: 'x\r\ny', level: 'info', msg: 'other', time: 1 })
    expect(lines[0]?.split('\n')).toHaveLength(2)
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      level: 'warn',
      msg: 'bad\\u000a{"level":"info"}',
      level_: 'info',
      msg_: 'other',
      time_: 1,
    })
  })

  it('keeps errors under any name redacted', async () => {
    const { log, lines } = await setup()
    log.error('failed', { err: new Error('sk_live_canary'), error: new Error('whsec_canary') })
    expect(lines[0]).not.toContain('canary')
    expect(JSON.parse(lines[0] ?? '').err.message).toBe('sk_live_[redacted]')
  })

  it('is pretty on a terminal, JSON elsewhere, and as told otherwise', async () => {
    const shape = async (o: Partial<LogOptions>): Promise<string> => {
      const { log, lines } = await setup(o)
      log.info('serving', { port: 1, reason: '\u001b[2J' })
      expect(lines).toHaveLength(1)
      return (lines[0] ?? '').startsWith('{') ? 'json' : 'pretty'
    }
    expect(await shape({ format: 'auto', isTerminal: true })).toBe('pretty')
    expect(await shape({ format: 'auto', isTerminal: false })).toBe('json')
    expect(await shape({ format: 'json', isTerminal: true })).toBe('json')
    expect(await shape({ format: 'pretty', isTerminal: false })).toBe('pretty')
  })

  it('escapes control bytes in pretty lines too', async () => {
    const { log, lines } = await setup({ format: 'pretty', isTerminal: false })
    log.info('hi \u001b[31m', { err: new Error('a\nb\u001b[2J'), reason: '\u0007' })
    expect([...(lines.join('') ?? '')].filter((char) => char < ' ')).toEqual(['\n'])
    expect(lines[0]).toContain('INFO: hi \\u001b[31m')
  })
})
