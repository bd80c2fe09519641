import { Grammar } from 'sip.js/lib/grammar/index.js'
import { describe, expect, it } from 'vitest'
import { fastParse } from './fast-grammar.ts'

/** The slow grammar's result in a form that two results can be compared in: own values, text forms. */
function shape(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_key, inner) => (inner === undefined ? undefined : inner)),
  )
}

const SAMPLES: [string, string[]][] = [
  [
    'Request_Response',
    [
      'SIP/2.0 200 OK',
      'SIP/2.0 486 Busy Here',
      'SIP/2.0 100 ',
      'BYE sip:h SIP/2.0',
      'INVITE sip:+15551234567@192.0.2.1:5060;transport=udp;lr SIP/2.0',
      'INVITE sips:a@example.com SIP/2.0',
      'BYE sip:a%20b@[2001:db8::1]:5060;ob SIP/2.0',
    ],
  ],
  ['CSeq', ['1 INVITE', '2147483647 BYE', '12  ACK']],
  ['Max_Forwards', ['70', '0']],
  ['Content_Length', ['0', '412']],
  ['Call_ID', ['a84b4c76e66710@pc33.example.com', '0190b0a2-7c1e-7000-8000-000000000000']],
  ['Content_Type', ['application/sdp', 'application/dtmf-relay', 'application/sdp;charset=utf-8']],
  [
    'From',
    [
      '<sip:a@b>;tag=1',
      '"A b" <sip:+15551234567@127.0.0.1:5060;transport=udp>;tag=abc',
      '<sip:127.0.0.1;lr>;TAG=abc;x',
      'sip:a@b;tag=1',
      'Alice Smith <sip:a@b>;tag=1',
      'a<sip:a@b>',
      '"A \\" b" <sip:a@b>;tag=1',
      '<sip:+1;phone-context=x@b;user=phone>;tag=1',
      '<sip:anonymous@anonymous.invalid>;tag=as7f',
    ],
  ],
  ['To', ['<sip:a@b>', '"" <sip:a@b>;tag=x']],
  [
    'Contact',
    [
      '<sip:a@b:5060;ob>;expires=60;q=0.5',
      '<sip:192.0.2.1:5060>',
      '<sip:a@[2001:db8::1]:5060>',
      '<sip:a%23b@h>',
      'sip:a@b:5060;transport=tcp',
      '<sip:a@b>;expires=1, <sip:c@d>',
      '"x"<sip:u@h;gr=urn:uuid:f81d>;reg-id=1;+sip.instance="<urn:uuid:00>"',
    ],
  ],
  [
    'Record_Route',
    [
      '<sip:192.0.2.1;lr>',
      '<sip:192.0.2.1:5062;lr;ftag=x>;y=z',
      '<sip:192.0.2.1;lr>,<sip:192.0.2.2;lr>',
      '<sip:192.0.2.1;lr> , <sip:[2001:db8::2];transport=tcp;lr>',
    ],
  ],
  [
    'WWW_Authenticate',
    [
      'Digest realm="a", nonce="b", qop="auth,auth-int", stale=TRUE, algorithm=MD5, opaque="x"',
      'Digest nonce="b",realm="a"',
    ],
  ],
]

describe('the fast grammar', () => {
  for (const [rule, texts] of SAMPLES)
    it.each(texts)(`reads ${rule} %s as the grammar does`, (text) => {
      const fast = fastParse(text, rule)
      expect(fast).toBeDefined()
      const slow = Grammar.parse(text, rule)
      expect(slow).not.toBe(-1)
      expect(shape(fast)).toEqual(shape(slow))
    })

  it.each([
    'SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK12;rport=77;received=192.0.2.9',
    'SIP/2.0/TLS [2001:db8::1]:5061;branch=z9hG4bK12;rport=77;received=2001:db8::9',
  ])('reads Via %s as the grammar does, as far as it is used', (text) => {
    const slow = Grammar.parse(text, 'Via')
    const { host_type: _, ...used } = slow
    expect(shape(fastParse(text, 'Via'))).toEqual({ ...used, params: {} })
  })

  it('reads a tel address, which the grammar does not know', () => {
    const parsed = fastParse('"A" <tel:+1-555-123;phone-context=x>;tag=3', 'From')
    expect(parsed).toMatchObject({ uri: { raw: { scheme: 'tel' } }, parameters: { tag: '3' } })
    expect(String(parsed)).toBe('"A" <tel:+1-555-123>;tag=3')
  })

  it('reads qop without quotes, which the grammar loses', () => {
    const text = 'Digest realm="a", nonce="b", qop=auth, algorithm=SHA-256'
    expect(fastParse(text, 'Proxy_Authenticate')).toMatchObject({ qop: ['auth'], nonce: 'b' })
  })

  it.each([
    ['CSeq', 'x'],
    ['CSeq', '99999999999 INVITE'],
    ['Content_Length', '-1'],
    ['From', '<sip:a:secret@b>'],
    ['From', '<sip:a%ff@b>'],
    ['Contact', '<sip:a@b>,'],
    ['Contact', ', <sip:a@b>'],
    ['Contact', '*'],
    ['Request_Response', 'OPTIONS sip:a@b SIP/7.0'],
    ['WWW_Authenticate', 'Basic realm="x"'],
    ['WWW_Authenticate', 'Digest realm="x'],
    ['Unknown_Rule', 'x'],
  ])('leaves %s %j to the grammar', (rule, text) => {
    expect(fastParse(text, rule)).toBeUndefined()
  })

  it('never throws, whatever it is given', () => {
    let seed = 7
    const random = (n: number): number => {
      seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff
      return seed % n
    }
    for (let i = 0; i < 20_000; i++) {
      const [rule, texts] = SAMPLES[i % SAMPLES.length] ?? ['', []]
      const bytes = Buffer.from(texts[random(texts.length)] ?? '', 'latin1')
      for (let j = 0; j < 3; j++) bytes[random(bytes.length)] = random(256)
      expect(() => fastParse(bytes.toString('latin1'), rule)).not.toThrow()
    }
  })
})
