import { describe, expect, it } from 'vitest'
import { AppError } from '../core/errors.ts'
import { type CallRequest, type CallRules, parseCallRequest } from './call-request.ts'

const NOW = Date.parse('2026-03-20T18:30:00Z')
const BODY = { phoneNumber: '+15551234567', instructions: 'Order a pizza.' }
const EMOJI = '🍕'

function setup(rules: Partial<CallRules> = {}) {
  const all: CallRules = {
    now: NOW,
    blockedPrefixes: ['+1900', '+882'],
    allowedPrefixes: [],
    ownNumbers: ['+15559876543', '+4930123456'],
    ...rules,
  }
  const parse = (fields: object): CallRequest => parseCallRequest({ ...BODY, ...fields }, all)
  const refusal = (body: unknown): AppError => {
    try {
      parseCallRequest(body, all)
    } catch (error) {
      if (error instanceof AppError) return error
      throw error
    }
    throw new Error('it was accepted')
  }
  return { parse, refusal, refuse: (fields: object) => refusal({ ...BODY, ...fields }) }
}

describe('the body of POST /calls', () => {
  it('needs a number and instructions, and leaves the rest open', () => {
    expect(setup().parse({})).toEqual({
      phoneNumber: '+15551234567',
      instructions: 'Order a pizza.',
      firstMessage: null,
      name: null,
      callAt: null,
      metadata: null,
      maxDurationSeconds: null,
      fromNumber: null,
      transferTo: null,
      voicemail: null,
      retry: null,
    })
  })

  it('takes every field that is available', () => {
    const fields = {
      firstMessage: 'Hello!',
      name: 'Joe',
      callAt: '2026-03-21T16:00:00+02:00',
      metadata: { order: '7' },
      maxDuration: 60,
      fromNumber: '+4930123456',
    }
    expect(setup().parse(fields)).toMatchObject({
      firstMessage: 'Hello!',
      name: 'Joe',
      callAt: Date.parse('2026-03-21T14:00:00Z'),
      metadata: { order: '7' },
      maxDurationSeconds: 60,
      fromNumber: '+4930123456',
    })
  })

  it.each([[[]], [null], ['x'], [3], [undefined]])('is no object when it is %j', (body) => {
    expect(setup().refusal(body)).toMatchObject({ code: 'invalid_request' })
  })

  it('counts null as absent, for optional and for required fields', () => {
    const nothing = { firstMessage: null, name: null, callAt: null, metadata: null, voice: null }
    expect(setup().parse({ ...nothing, maxDuration: null, fromNumber: null }).name).toBeNull()
    expect(setup().refuse({ instructions: null }).message).toContain('instructions is required')
    expect(setup().refuse({ phoneNumber: null }).message).toContain('phoneNumber is required')
  })

  it.each(['speed', 'constructor', 'toString', '__proto__'])(
    'names the unknown field %s',
    (name) => {
      const body = JSON.parse(`{"phoneNumber":"+15551234567","instructions":"x","${name}":null}`)
      const refusal = setup().refusal(body)
      expect(refusal.code).toBe('invalid_request')
      expect(refusal.message).toContain(`Unknown field "${name}"`)
      expect(Object.keys({})).toEqual([])
    },
  )

  it.each(['+1', '15557654321', '+1 555 765 4321', 15557654321, true, {}, ''])(
    'says that nobody can be transferred to %j',
    (transferTo) => {
      const refusal = setup().refuse({ transferTo })
      expect(refusal.code).toBe('invalid_request')
      expect(refusal.message).toContain('transferTo')
    },
  )

  it.each([null, 'hangup', 'continue', { leaveMessage: 'Please call Alex back.' }])(
    'takes what to do when a voicemail answers: %j',
    (voicemail) => {
      expect(setup().parse({ voicemail }).voicemail).toEqual(voicemail)
    },
  )

  it.each([
    'leave',
    true,
    [],
    {},
    { leaveMessage: '' },
    { leaveMessage: ' ' },
    { leaveMessage: 7 },
    { leaveMessage: 'x'.repeat(1001) },
    { leaveMessage: 'x', after: 3 },
  ])('refuses as what to do when a voicemail answers: %j', (voicemail) => {
    const refusal = setup().refuse({ voicemail })
    expect(refusal.code).toBe('invalid_request')
    expect(refusal.message).toContain('voicemail')
  })

  it('takes whom to transfer to, but not who is called, nor whom the dial policy keeps from being called', () => {
    const { parse, refuse } = setup()
    expect(parse({}).transferTo).toBeNull()
    expect(parse({ transferTo: null }).transferTo).toBeNull()
    expect(parse({ transferTo: '+15557654321' }).transferTo).toBe('+15557654321')
    expect(refuse({ transferTo: '+15551234567' }).message).toContain('transferTo')
    const blocked = refuse({ transferTo: '+19005550000' })
    expect(blocked.code).toBe('dial_policy')
    expect(blocked.message).toContain('transferTo')
  })

  it.each(['language', 'voice', 'record', 'resultSchema'])(
    'says that %s is not available yet',
    (name) => {
      const refusal = setup().refuse({ [name]: 'x' })
      expect(refusal.code).toBe('not_available_yet')
      expect(refusal.message).toContain(name)
    },
  )

  it.each([
    ...['', '+1', '+12', '+123456', '+1234567890123456', '15551234567', '0015551234567'],
    ...[
      '+1 555 123 4567',
      '+1-555-123-4567',
      '+1(555)1234567',
      '+１５５５１２３４５６７',
      '+٠١٢٣٤٥٦٧٨',
    ],
    ...[
      '+15551234567\n',
      '\u200b+15551234567',
      '+1555\u200b1234567',
      '+15551234567;ext=5',
      ' +15551234567',
    ],
    ...['tel:+15551234567', 'sip:+15551234567@evil', '+05551234567', '+911', '+112'],
  ])('refuses the number %j', (phoneNumber) => {
    expect(setup().refuse({ phoneNumber })).toMatchObject({ code: 'invalid_request' })
  })

  it.each([[15551234567], [true], [[]], [{}]])(
    'wants the number as a string, not %j',
    (phoneNumber) => {
      expect(setup().refuse({ phoneNumber }).message).toContain('must be a string')
    },
  )

  it.each(['+1234567', '+123456789012345', '+15559876542'])(
    'accepts the number %s',
    (phoneNumber) => {
      expect(setup().parse({ phoneNumber }).phoneNumber).toBe(phoneNumber)
    },
  )

  it("refuses the caller's own number, the default as well as the one asked for", () => {
    const { refuse, parse } = setup()
    expect(refuse({ phoneNumber: '+15559876543' }).message).toContain('own number')
    const own = { phoneNumber: '+4930123456', fromNumber: '+4930123456' }
    expect(refuse(own).message).toContain('own number')
    expect(parse({ phoneNumber: '+4930123456' }).phoneNumber).toBe('+4930123456')
  })

  it('applies the dial policy and names the setting', () => {
    expect(setup().refuse({ phoneNumber: '+19005551234' })).toMatchObject({
      code: 'dial_policy',
      message: expect.stringContaining('calls.blocked_prefixes'),
    })
    const home = setup({ allowedPrefixes: ['+49', '+1'] })
    expect(home.parse({}).phoneNumber).toBe('+15551234567')
    expect(home.refuse({ phoneNumber: '+33123456789' })).toMatchObject({
      code: 'dial_policy',
      message: expect.stringContaining('calls.allowed_prefixes'),
    })
    expect(home.refuse({ phoneNumber: '+19005551234' }).code).toBe('dial_policy')
  })

  it("takes only the trunks' numbers as the caller", () => {
    expect(setup().refuse({ fromNumber: '+15550000000' }).message).toContain('+15559876543')
    expect(setup().refuse({ fromNumber: 'Joe' }).message).toContain('E.164')
    const bare = setup({ ownNumbers: [] })
    expect(bare.parse({ fromNumber: '+15550000000' }).fromNumber).toBe('+15550000000')
  })

  it.each([
    ['instructions', 5000],
    ['firstMessage', 1000],
    ['name', 200],
  ])('counts the characters of %s as code points, up to %i', (field, max) => {
    const { parse, refuse } = setup()
    expect(parse({ [field]: 'x'.repeat(max) })).toMatchObject({ [field]: 'x'.repeat(max) })
    expect(parse({ [field]: EMOJI.repeat(max) })).toMatchObject({ [field]: EMOJI.repeat(max) })
    expect(refuse({ [field]: 'x'.repeat(max + 1) }).message).toContain(`up to ${max} characters`)
    expect(refuse({ [field]: EMOJI.repeat(max + 1) }).code).toBe('invalid_request')
  })

  it.each([[''], ['  \n\t'], [7], [[]], [{}], [false]])(
    'refuses the instructions %j',
    (instructions) => {
      expect(setup().refuse({ instructions }).message).toContain('instructions')
    },
  )

  it('keeps instructions as they are', () => {
    const instructions = '  Say "hi".\n\tThen hang up. '
    expect(setup().parse({ instructions }).instructions).toBe(instructions)
  })

  it('takes a blank first message or name for none', () => {
    expect(setup().parse({ firstMessage: ' ', name: '' })).toMatchObject({
      firstMessage: null,
      name: null,
    })
    expect(setup().refuse({ name: 5 }).message).toContain('name must be a string')
  })

  it.each([
    ['2026-03-21T14:00:00Z', '2026-03-21T14:00:00.000Z'],
    ['2026-03-21T14:00Z', '2026-03-21T14:00:00.000Z'],
    ['2026-03-21T14:00:00.123456789Z', '2026-03-21T14:00:00.123Z'],
    ['2026-03-20T20:30:00.001+02:00', '2026-03-20T18:30:00.001Z'],
    ['2027-03-20T18:30:00Z', '2027-03-20T18:30:00.000Z'],
  ])('schedules for %s', (callAt, iso) => {
    expect(setup().parse({ callAt }).callAt).toBe(Date.parse(iso))
  })

  it.each(['2026-03-20T18:29:00Z', '2026-03-20T18:29:59.999Z', '2026-03-20T18:30:00Z'])(
    'takes %s, within the last minute, for now',
    (callAt) => {
      expect(setup().parse({ callAt }).callAt).toBeNull()
    },
  )

  it.each([
    ['2026-03-20T18:28:59.999Z', 'past'],
    ['2027-03-20T18:30:00.001Z', 'year ahead'],
    ['9999-12-31T23:59:59Z', 'year ahead'],
    ['2026-03-21T14:00:00', 'time zone'],
    ['2026-04-31T00:00:00Z', 'does not exist'],
    ['2026-03-21T24:00:00Z', 'does not exist'],
    ['tomorrow', 'ISO 8601'],
    ['', 'ISO 8601'],
    [1774101600, 'ISO 8601'],
  ])('refuses callAt %j: %s', (callAt, why) => {
    expect(setup().refuse({ callAt }).message).toContain(why)
  })

  it('takes 29 February of a leap year, when that is within a year', () => {
    const { parse } = setup({ now: Date.parse('2027-06-01T00:00:00Z') })
    expect(parse({ callAt: '2028-02-29T00:00:00Z' }).callAt).toBe(
      Date.parse('2028-02-29T00:00:00Z'),
    )
  })

  it('bounds metadata: strings only, 20 keys, 4 KiB', () => {
    const { parse, refuse } = setup()
    const keys = (n: number) =>
      Object.fromEntries(Array.from({ length: n }, (_, i) => [`k${i}`, 'v']))
    expect(Object.keys(parse({ metadata: keys(20) }).metadata ?? {})).toHaveLength(20)
    expect(refuse({ metadata: keys(21) }).message).toContain('20 keys')
    // {"k":"…"} takes 8 bytes beside the text.
    expect(parse({ metadata: { k: 'x'.repeat(4088) } }).metadata?.k).toHaveLength(4088)
    expect(refuse({ metadata: { k: 'x'.repeat(4089) } }).message).toContain('4 KiB')
    expect(refuse({ metadata: { k: 'ü'.repeat(2045) } }).message).toContain('4 KiB')
    for (const value of [1, null, {}, ['x'], true])
      expect(refuse({ metadata: { a: value } }).message).toContain('strings only')
    for (const metadata of [[], 'x', 4]) expect(refuse({ metadata }).message).toContain('metadata')
    expect(parse({ metadata: {} }).metadata).toEqual({})
  })

  it.each([10, 7200])('takes a duration of %i seconds', (maxDuration) => {
    expect(setup().parse({ maxDuration }).maxDurationSeconds).toBe(maxDuration)
  })

  it.each([9, 7201, 60.5, '60', -60, true])('refuses a duration of %j', (maxDuration) => {
    expect(setup().refuse({ maxDuration }).message).toContain('10 to 7200')
  })
})
