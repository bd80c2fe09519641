import { describe, expect, it } from 'vitest'
import { SimClock, settle } from '../../test/kit/sim-clock.ts'
import { canonicalJson, MAX_BODY_BYTES, parseJson, readBody } from './json-body.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

function post(body: ReadableStream | Uint8Array): Request {
  return new Request('http://localhost/', { method: 'POST', body })
}

describe('reading a body', () => {
  it('puts the chunks together', async () => {
    const body = new ReadableStream({
      start(controller) {
        for (const part of ['{"a"', ':', '1}']) controller.enqueue(bytes(part))
        controller.close()
      },
    })
    expect(parseJson(await readBody(post(body), new SimClock()))).toEqual({ a: 1 })
  })

  it('takes 256 KiB and not a byte more, and lets go of the sender', async () => {
    const clock = new SimClock()
    expect(await readBody(post(new Uint8Array(MAX_BODY_BYTES)), clock)).toHaveLength(262_144)
    let canceled = false
    const endless = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(100_000)),
      cancel: () => {
        canceled = true
      },
    })
    await expect(readBody(post(endless), clock)).rejects.toMatchObject({
      code: 'payload_too_large',
    })
    expect(canceled).toBe(true)
  })

  it('waits 15 s for the last byte, however the others drip', async () => {
    const clock = new SimClock()
    const slow = new ReadableStream({ start: (controller) => controller.enqueue(bytes('{')) })
    let outcome: unknown = 'reading'
    const reading = readBody(post(slow), clock).catch((error: unknown) => {
      outcome = error
    })
    await clock.advance(14_999)
    expect(outcome).toBe('reading')
    await clock.advance(1)
    await reading
    expect(outcome).toMatchObject({ code: 'request_timeout' })
  })

  it('leaves no timer behind', async () => {
    const clock = new SimClock()
    await readBody(post(bytes('{}')), clock)
    await clock.advance(60_000)
    await settle()
    expect(clock.fired).toBe(0)
  })

  it('is empty where there is none', async () => {
    expect(await readBody(new Request('http://localhost/'), new SimClock())).toHaveLength(0)
  })
})

describe('parsing a body', () => {
  it('skips a byte order mark', () => {
    expect(parseJson(bytes('\ufeff{"a":1}'))).toEqual({ a: 1 })
  })

  it.each([
    ['nothing', ''],
    ['blanks', ' \n'],
    ['half an object', '{"a":'],
    ['single quotes', "{'a':1}"],
    ['a trailing comma', '{"a":1,}'],
    ['a comment', '{"a":1}//x'],
    ['a form', 'phoneNumber=%2B1555'],
    ['NaN', '{"a":NaN}'],
    ['a raw line break', '{"a":"\n"}'],
    ['an escaped NUL', '{"a":"\\u0000"}'],
    ['a NUL in a key', '{"\\u0000":1}'],
    ['a lone surrogate', '{"a":"\\ud800"}'],
    ['a lone surrogate deep inside', '{"a":[{"b":"x\\udc00"}]}'],
    ['a lone surrogate in a key', '{"\\ud83c":1}'],
  ])('refuses %s', (_, text) => {
    expect(() => parseJson(bytes(text))).toThrow(
      expect.objectContaining({ code: 'invalid_request' }),
    )
  })

  it.each([
    ['a stray byte', [0x22, 0xff, 0x22]],
    ['an overlong form', [0x22, 0xc0, 0xaf, 0x22]],
    ['an encoded surrogate', [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ['half a character', [0x22, 0xf0, 0x9f, 0x8d, 0x22]],
    ['UTF-16', [0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00]],
  ])('refuses %s as no UTF-8', (_, data) => {
    expect(() => parseJson(new Uint8Array(data))).toThrow('UTF-8')
  })

  it('bounds the depth, before the parser sees it', () => {
    const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)
    expect(parseJson(bytes(nested(32)))).toBeInstanceOf(Array)
    expect(() => parseJson(bytes(nested(33)))).toThrow('32 levels')
    expect(() => parseJson(bytes('{"a":'.repeat(40_000)))).toThrow('32 levels')
    expect(parseJson(bytes(`{"a":"${'['.repeat(1000)}\\"${'{'.repeat(1000)}"}`))).toBeTruthy()
  })

  it('lets __proto__ harm nobody', () => {
    const value = parseJson(
      bytes('{"__proto__":{"admin":true},"constructor":{"prototype":{"x":1}}}'),
    )
    expect(Object.keys(value as object)).toEqual(['__proto__', 'constructor'])
    expect(({} as Record<string, unknown>).admin).toBeUndefined()
  })

  it('lets the last of duplicate keys count', () => {
    expect(parseJson(bytes('{"a":1,"a":2}'))).toEqual({ a: 2 })
  })
})

describe('canonical JSON', () => {
  it('is the same for the same value, whatever the order and the blanks', () => {
    const a = parseJson(bytes('{"b":[1, {"y":null,"x":"é"}],"a":1.0}'))
    const b = parseJson(bytes('{ "a":1, "b":[1,{"x":"\\u00e9","y":null}]}'))
    expect(canonicalJson(a)).toBe(canonicalJson(b))
    expect(canonicalJson(a)).toBe('{"a":1,"b":[1,{"x":"é","y":null}]}')
  })

  it.each([
    ['{"a":[1,2]}', '{"a":[2,1]}'],
    ['{"a":"1"}', '{"a":1}'],
    ['{"a":null}', '{}'],
    ['{"a":{}}', '{"a":[]}'],
  ])('tells %s from %s', (a, b) => {
    expect(canonicalJson(JSON.parse(a))).not.toBe(canonicalJson(JSON.parse(b)))
  })
})
