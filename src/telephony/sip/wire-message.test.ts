import { describe, expect, it } from 'vitest'
import {
  bodyOf,
  headerOf,
  headersOf,
  paramOf,
  printable,
  readVia,
  readWire,
  renderWire,
  splitList,
  tagOf,
} from './wire-message.ts'

const INVITE = [
  'INVITE sip:a@b SIP/2.0',
  'v: SIP / 2.0 / UDP 192.0.2.2 : 5061 ;branch=390skdjuw',
  'FROM : "x" <sip:x@y;tag=no>',
  '  ;tag=yes',
  'to:<sip:a@b>',
  'i: id@h',
  'CSeq: 0009   INVITE',
  'l: 3',
  '',
  'abcdef',
].join('\r\n')

describe('readWire', () => {
  it('reads compact names, folded lines and wide spaces (RFC 4475 §3.1.1.1)', () => {
    const message = readWire(INVITE)
    expect(message).toMatchObject({
      kind: 'request',
      method: 'INVITE',
      requestUri: 'sip:a@b',
      callId: 'id@h',
      cseq: { number: 9, method: 'INVITE' },
      fromTag: 'yes',
      toTag: undefined,
      via: { transport: 'UDP', sentBy: '192.0.2.2:5061', branch: '390skdjuw' },
    })
  })

  it('cuts the body to its declared length', () => {
    const message = readWire(INVITE)
    if (!message) throw new Error('unread')
    expect(bodyOf(message)).toBe('abc')
    expect(renderWire(message).endsWith('\r\n\r\nabc')).toBe(true)
  })

  it('renders what it reads the same again', () => {
    const message = readWire(INVITE)
    if (!message) throw new Error('unread')
    const again = readWire(renderWire(message))
    expect(again).toEqual({ ...message, body: 'abc' })
  })

  it.each([
    '',
    'hello',
    '\r\n\r\n',
    'SIP/2.0 200 OK\r\nVia: x',
    'INVITE sip:a SIP/2.0\r\n folded first\r\n\r\n',
    'INVITE sip:a SIP/2.0\r\nno colon here\r\n\r\n',
    'INVITE\u0000 sip:a SIP/2.0\r\n\r\n',
    `OPTIONS sip:a SIP/2.0\r\n${'X: y\r\n'.repeat(129)}\r\n`,
  ])('does not take input number %# for a message', (text) => {
    expect(readWire(text)).toBeUndefined()
  })

  it('keeps repeated headers apart and in order', () => {
    const message = readWire('BYE sip:a SIP/2.0\r\nRoute: <a>\r\nroute: <b>\r\n\r\n')
    if (!message) throw new Error('unread')
    expect(headersOf(message, 'route')).toEqual(['<a>', '<b>'])
    expect(headerOf(message, 'route')).toBe('<a>')
    expect(headerOf(message, 'contact')).toBeUndefined()
  })
})

describe('parts of headers', () => {
  it('reads the first of several Vias, and IPv6', () => {
    expect(readVia('SIP/2.0/UDP [2001:db8::1]:5060;branch=a, SIP/2.0/TCP b;branch=c')).toEqual({
      version: '2.0',
      transport: 'UDP',
      sentBy: '[2001:db8::1]:5060',
      branch: 'a',
      params: ';branch=a',
    })
    expect(readVia('SIP/2.0/UDP')).toBeUndefined()
    expect(readVia('SIP/2.0/UDP host garbage')).toBeUndefined()
  })

  it('tells a bare parameter from an absent one', () => {
    expect(paramOf(';rport;branch=x', 'rport')).toBe('')
    expect(paramOf(';rport=5; branch = x', 'branch')).toBe('x')
    expect(paramOf(';xrport=5', 'rport')).toBeUndefined()
  })

  it('takes the tag of the header, not of the URI', () => {
    expect(tagOf('<sip:a@b;tag=inner>')).toBeUndefined()
    expect(tagOf('<sip:a@b;tag=inner>;tag=outer')).toBe('outer')
    expect(tagOf('sip:a@b;tag=plain')).toBe('plain')
  })

  it('splits lists outside quotes and brackets', () => {
    expect(splitList('<sip:a,b@c>;x, "d, e" <sip:f>,g')).toEqual([
      '<sip:a,b@c>;x',
      '"d, e" <sip:f>',
      'g',
    ])
  })

  it('makes text printable', () => {
    expect(printable('a\r\nb\u001b[31m\u009fc')).toBe('a b [31m c')
    expect(printable('x'.repeat(500)).length).toBe(200)
  })
})
