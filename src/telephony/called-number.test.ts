import { describe, expect, it } from 'vitest'
import { calledNumber, callerNumber, userOf } from './called-number.ts'
import { readWire, type WireMessage } from './sip/wire-message.ts'

const NUMBERS = ['+4930123456', '+4930999999', '+15550001111']

function invite(o: { uri?: string; to?: string; from?: string; headers?: string[] } = {}) {
  const lines = [
    `INVITE ${o.uri ?? 'sip:+4930123456@192.0.2.1'} SIP/2.0`,
    'Via: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKx',
    `From: ${o.from ?? '<sip:+442071234567@example.com>'};tag=a`,
    `To: ${o.to ?? '<sip:+4930123456@example.com>'}`,
    'Call-ID: x',
    'CSeq: 1 INVITE',
    ...(o.headers ?? []),
  ]
  return readWire(`${lines.join('\r\n')}\r\n\r\n`) as WireMessage
}

describe('the number that is called', () => {
  const called = (uri: string, o: { to?: string; numbers?: string[] } = {}) =>
    calledNumber(invite({ uri, ...o }), { numbers: o.numbers ?? NUMBERS }, 'alice')

  it.each([
    ['sip:+4930123456@192.0.2.1', '+4930123456'],
    ['sip:4930123456@192.0.2.1:5060;user=phone', '+4930123456'],
    ['sip:030123456@192.0.2.1', '+4930123456'],
    ['sip:004930999999@192.0.2.1', '+4930999999'],
    ['sip:%2B4930999999@192.0.2.1', '+4930999999'],
    ['sip:+49-30-999.999;npdi@192.0.2.1', '+4930999999'],
    ['sip:5550001111@192.0.2.1', '+15550001111'],
    ['sips:15550001111:secret@192.0.2.1', '+15550001111'],
  ])('is read from %s', (uri, number) => {
    expect(called(uri)).toBe(number)
  })

  it.each([
    'sip:+4930123457@192.0.2.1',
    'sip:30123456@192.0.2.1',
    'sip:192.0.2.1',
    'sip:bob@192.0.2.1',
    'sip:%ZZ@192.0.2.1',
    'sip:@192.0.2.1',
  ])('is none of ours for %s, whatever To says', (uri) => {
    expect(called(uri)).toBeNull()
  })

  it('is what To says when the request-URI is our registration', () => {
    const uri = 'sip:alice@192.0.2.1:5060'
    expect(called(uri, { to: '"Desk" <sip:030999999@example.com>' })).toBe('+4930999999')
    expect(called(uri, { to: '<tel:+1-555-000-1111>' })).toBe('+15550001111')
    expect(called(uri, { to: '<sip:alice@example.com>' })).toBeNull()
  })

  it('is the only one of a trunk whose registration is called', () => {
    const numbers = ['+4930123456']
    expect(called('sip:alice@192.0.2.1', { to: '<sip:alice@example.com>', numbers })).toBe(
      '+4930123456',
    )
    expect(called('sip:alice@192.0.2.1', { numbers: [] })).toBeNull()
  })
})

describe('who calls', () => {
  const caller = (
    o: Parameters<typeof invite>[0],
    numberFormat: '+e164' | 'e164' | 'national' = '+e164',
  ) => callerNumber(invite(o), { numbers: NUMBERS, numberFormat })

  it('is the number of From', () => {
    expect(caller({ from: '"Bob" <sip:+442071234567@example.com;user=phone>' })).toBe(
      '+442071234567',
    )
    expect(caller({ from: 'sip:+442071234567@example.com' })).toBe('+442071234567')
  })

  it('is what the trunk asserts before what the caller says', () => {
    const headers = ['P-Asserted-Identity: <sip:+15557654321@example.com>']
    expect(caller({ headers })).toBe('+15557654321')
    const both = ['P-Asserted-Identity: "B" <sip:bob@example.com>, <tel:+15557654321>']
    expect(caller({ headers: both })).toBe('+15557654321')
    const named = ['P-Asserted-Identity: <sip:bob@example.com>']
    expect(caller({ headers: named })).toBe('bob')
  })

  it('is read by the number format of the trunk', () => {
    const from = (user: string) => ({ from: `<sip:${user}@example.com>` })
    expect(caller(from('442071234567'), 'e164')).toBe('+442071234567')
    expect(caller(from('030555555'), 'national')).toBe('+4930555555')
    expect(caller(from('00442071234567'), 'national')).toBe('+442071234567')
  })

  it('stays as it came where it is no such number', () => {
    const from = (user: string) => ({ from: `<sip:${user}@example.com>` })
    expect(caller(from('442071234567'))).toBe('442071234567')
    expect(caller(from('11'), 'e164')).toBe('11')
    expect(caller(from('b%0D%0Aob'))).toBe('b ob')
    expect(caller(from('x'.repeat(300)))).toHaveLength(64)
  })

  it.each([
    { from: '"Anonymous" <sip:anonymous@anonymous.invalid>' },
    { from: '<sip:Restricted@example.com>' },
    { from: '<sip:example.com>' },
    { from: '<sip:%20@example.com>' },
    { headers: ['P-Asserted-Identity: <sip:+15557654321@a>', 'Privacy: id;critical'] },
    { headers: ['Privacy: user'] },
  ])('is anonymous in %j', (o) => {
    expect(caller(o)).toBe('anonymous')
  })

  it('is told where privacy is not asked for', () => {
    expect(caller({ headers: ['Privacy: none'] })).toBe('+442071234567')
  })
})

describe('userOf', () => {
  it.each([
    ['<sip:a@b>', 'a'],
    ['sip:b', ''],
    ['', ''],
    ['http://a@b', ''],
    ['<sip:a@b', ''],
    ['"<sip:x@y>" <sip:a@b>', 'a'],
    ['"\\"<" <sip:a@b>', 'a'],
  ])('reads %j as %j', (value, user) => {
    expect(userOf(value)).toBe(user)
  })
})
