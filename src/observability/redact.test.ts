import { describe, expect, it } from 'vitest'
import { redact, redactText } from './redact.ts'

const CANARY = 'canary-5d1c'
const quiet = { personal: false }
const spoken = { personal: true }

describe('secrets', () => {
  it.each([
    'key',
    'apiKey',
    'api_key',
    'X-API-Key',
    'secret',
    'previousSecret',
    'password',
    'Authorization',
    'proxy-authorization',
    'token',
    'cookie',
    'signature',
  ])('under %s are never shown, at no depth and no level', (name) => {
    const fields = { [name]: CANARY, deep: [{ headers: { [name]: { a: CANARY } } }] }
    expect(JSON.stringify(redact(fields, quiet))).not.toContain(CANARY)
    expect(JSON.stringify(redact(fields, spoken))).not.toContain(CANARY)
  })

  it.each([
    `sk_live_${CANARY}`,
    'whsec_Y2FuYXJ5LTVkMWM=',
    `Authorization: Digest username="u", response="${CANARY}"`,
    `got Bearer ${CANARY}`,
    `password=${CANARY}`,
    `{"api_key": "${CANARY}"}`,
    `X-API-Key: ${CANARY}`,
    `http://user:${CANARY}@host/v1`,
  ])('in running text are cut out: %s', (text) => {
    for (const safe of [
      redactText(`before ${text}`),
      JSON.stringify(redact({ reason: text }, spoken)),
      JSON.stringify(redact({ error: new Error('x', { cause: new Error(text) }) }, spoken)),
    ]) {
      expect(safe).not.toContain(CANARY)
      expect(safe).not.toContain('Y2FuYXJ5LTVkMWM')
    }
    expect(redactText(`before ${text}`)).toMatch(/^before /)
  })

  it('leave an absent one visible as absent', () => {
    expect(redact({ password: null }, quiet)).toEqual({ password: null })
  })
})

describe('what was said', () => {
  it.each(['instructions', 'firstMessage', 'transcript', 'text', 'summary', 'body', 'metadata'])(
    '%s is withheld but for a personal line',
    (name) => {
      expect(JSON.stringify(redact({ [name]: CANARY }, quiet))).not.toContain(CANARY)
      expect(JSON.stringify(redact({ a: [{ [name]: [CANARY] }] }, quiet))).not.toContain(CANARY)
      expect(JSON.stringify(redact({ [name]: CANARY }, spoken))).toContain(CANARY)
    },
  )
})

describe('numbers', () => {
  it.each(['toNumber', 'fromNumber', 'phoneNumber', 'to', 'from', 'caller'])(
    'under %s are masked, with and without +',
    (name) => {
      for (const value of ['+15551234567', '15551234567', 'sip:15551234567@h', ['+15551234567']])
        expect(JSON.stringify(redact({ [name]: value }, spoken))).not.toContain('234567')
    },
  )

  it('in running text are masked', () => {
    expect(redactText('calling +15551234567 failed')).toBe('calling +1555…67 failed')
    expect(redactText('INVITE sip:15551234567@example SIP/2.0')).not.toContain('1234567')
  })

  it('that are no telephone numbers stay', () => {
    expect(redact({ durationMs: 12345678, port: 5060, from: 3 }, quiet)).toEqual({
      durationMs: 12345678,
      port: 5060,
      from: 3,
    })
  })
})

describe('anything at all', () => {
  it('has its control bytes escaped, in values and names', () => {
    const text = JSON.stringify(redact({ 'a\u001b': 'x\r\n\u001b[2J\u0085\u202e' }, quiet))
    expect([...JSON.parse(text)['a\\u001b']].every((char: string) => char >= ' ')).toBe(true)
    expect(text).not.toMatch(/\u202e|\u0085/)
    expect(text).toContain('u001b[2J')
  })

  it('is bounded', () => {
    const loop: Record<string, unknown> = {}
    loop.self = loop
    const wide = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`f${i}`, i]))
    const text = JSON.stringify(
      redact({ loop, wide, list: Array(1000).fill(1), long: 'x'.repeat(100_000) }, quiet),
    )
    expect(text.length).toBeLessThan(6000)
  })

  it('never throws and never spills bytes', () => {
    const hostile = {
      get broken(): string {
        throw new Error('no')
      },
      big: 1n,
      fn: () => CANARY,
      bytes: new Int16Array(8),
      date: new Date(Number.NaN),
      map: new Map([[CANARY, CANARY]]),
    }
    expect(redact(hostile, quiet)).toEqual({
      broken: '[unreadable]',
      big: '1',
      fn: '[function]',
      bytes: '[16 bytes]',
      date: null,
      map: '[1 entries]',
    })
  })

  it('shows an error with its name, message, code and frames', () => {
    const error = Object.assign(new TypeError('reading x: gone'), { code: 'ENOENT' })
    const { error: shown } = redact({ error }, quiet) as { error: { stack: string[] } }
    expect(shown).toMatchObject({ name: 'TypeError', message: 'reading x: gone', code: 'ENOENT' })
    expect(shown.stack[0]).toMatch(/^at /)
  })
})
