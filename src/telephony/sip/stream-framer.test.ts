import { describe, expect, it } from 'vitest'
import { randomSource } from '../../../test/kit/seeded.ts'
import { MAX_MESSAGE, type Piece, StreamFramer } from './stream-framer.ts'

const message = (body = '', extra = ''): string =>
  `OPTIONS sip:x SIP/2.0\r\nCall-ID: 1\r\n${extra}Content-Length: ${body.length}\r\n\r\n${body}`
const push = (framer: StreamFramer, text: string): Piece[] =>
  framer.push(Buffer.from(text, 'latin1'))
const texts = (pieces: Piece[]): string[] =>
  pieces.map((piece) => (piece.is === 'message' ? piece.text : piece.is))

describe('StreamFramer', () => {
  it('cuts messages at their length, however the stream is cut', () => {
    const stream = message('a\r\n\r\nb') + message() + message('x'.repeat(9_000)) + message('z')
    const want = texts(push(new StreamFramer(), stream))
    expect(want).toHaveLength(4)
    const random = randomSource(5)
    for (let run = 0; run < 50; run++) {
      const framer = new StreamFramer()
      const got: Piece[] = []
      for (let at = 0; at < stream.length; ) {
        const size = 1 + Math.floor(random() * 900)
        got.push(...push(framer, stream.slice(at, at + size)))
        at += size
      }
      expect(texts(got)).toEqual(want)
      expect(framer.waitingFor).toBe('nothing')
    }
  })

  it('tells what a message still lacks', () => {
    const framer = new StreamFramer()
    push(framer, 'OPTIONS sip:x SIP/2.0\r\n')
    expect(framer.waitingFor).toBe('header')
    push(framer, 'l: 3\r\n\r\na')
    expect(framer.waitingFor).toBe('body')
    expect(texts(push(framer, 'bc'))).toHaveLength(1)
    expect(framer.waitingFor).toBe('nothing')
  })

  it.each([
    ['compact', 'l: 2'],
    ['folded', 'Content-Length:\r\n  2'],
    ['spaced', 'CONTENT-LENGTH \t: 2 '],
    ['said twice alike', 'l: 2\r\nContent-Length: 2'],
  ])('reads a length that is %s', (_how, header) => {
    const pieces = push(new StreamFramer(), `BYE sip:x SIP/2.0\r\n${header}\r\n\r\nab`)
    expect(texts(pieces)[0]).toMatch(/ab$/)
  })

  it('takes a message without a length to end at its empty line', () => {
    expect(texts(push(new StreamFramer(), `A sip:x SIP/2.0\r\nB: c\r\n\r\n${message()}`))).toEqual([
      'A sip:x SIP/2.0\r\nB: c\r\n\r\n',
      message(),
    ])
  })

  it.each([
    ['negative', 'l: -1', 400],
    ['a word', 'l: few', 400],
    ['empty', 'l:', 400],
    ['two numbers', 'l: 1\r\nl: 2', 400],
    ['beyond the bound', `l: ${MAX_MESSAGE}`, 513],
  ] as const)('breaks at a length that is %s, and reads nothing more', (_what, header, status) => {
    const framer = new StreamFramer()
    const [piece] = push(framer, `A sip:x SIP/2.0\r\n${header}\r\n\r\n`)
    expect(piece).toMatchObject({ is: 'broken', status })
    expect(push(framer, message())).toEqual([])
  })

  it('breaks at a header that does not end within the bound', () => {
    const framer = new StreamFramer()
    let pieces: Piece[] = []
    for (let n = 0; n < 20 && pieces.length === 0; n++) pieces = push(framer, 'x'.repeat(4_000))
    expect(pieces).toMatchObject([{ is: 'broken', status: 513 }])
  })

  it('takes two empty lines for a ping, one for a pong, also between messages', () => {
    const framer = new StreamFramer()
    expect(texts(push(framer, '\r\n\r\n'))).toEqual(['ping'])
    expect(texts(push(framer, '\r\n'))).toEqual(['pong'])
    const pieces = push(new StreamFramer(), `${message()}\r\n\r\n${message()}`)
    expect(texts(pieces)).toEqual([message(), 'ping', message()])
  })

  it('knows a ping whose halves come apart', () => {
    const framer = new StreamFramer()
    push(framer, '\r\n')
    expect(texts(push(framer, '\r\n'))).toContain('ping')
  })

  it('reads a message sent byte by byte in time that grows with its length', () => {
    const bytes = Buffer.from(message('y'.repeat(60_000)))
    const framer = new StreamFramer()
    const began = process.cpuUsage().user
    let pieces = 0
    for (const byte of bytes) pieces += framer.push(Uint8Array.of(byte)).length
    expect(pieces).toBe(1)
    expect(process.cpuUsage().user - began).toBeLessThan(2_000_000)
  })
})
