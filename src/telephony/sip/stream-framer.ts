/**
 * Cuts a stream into SIP messages (RFC 3261 §18.3) and keep-alives (RFC 5626 §3.5.1). Holds no timer and no socket:
 * bytes come in, pieces come out, and never more than one message waits.
 */

/** No SIP message of a trunk comes near it. */
export const MAX_MESSAGE = 65_536
const FIRST_CAPACITY = 4_096
const CR = 13
const LF = 10

export type Piece =
  | { is: 'message'; text: string }
  /** Two empty lines: the other side wants one back. */
  | { is: 'ping' }
  | { is: 'pong' }
  /** Where the next message begins cannot be told any more: the connection is of no further use. */
  | { is: 'broken'; head: string; status: 400 | 513 }

export class StreamFramer {
  private buffer = Buffer.alloc(FIRST_CAPACITY)
  private length = 0
  /** Up to here no end of a header was found. */
  private searched = 0
  /** The whole length of the message that waits, once its header came. */
  private wanted: number | null = null
  private halfPing = false
  private dead = false

  /** What the message that has begun still lacks. */
  get waitingFor(): 'nothing' | 'header' | 'body' {
    if (this.length === 0 || this.dead) return 'nothing'
    return this.wanted === null ? 'header' : 'body'
  }

  push(bytes: Uint8Array): Piece[] {
    const pieces: Piece[] = []
    // A chunk larger than a message is taken in parts, so that the buffer stays bounded.
    for (let at = 0; at < bytes.length && !this.dead; at += MAX_MESSAGE) {
      this.append(bytes.subarray(at, at + MAX_MESSAGE))
      this.cut(pieces)
    }
    return pieces
  }

  private append(bytes: Uint8Array): void {
    const needed = this.length + bytes.length
    if (needed > this.buffer.length) {
      const larger = Buffer.alloc(Math.max(needed, this.buffer.length * 2))
      this.buffer.copy(larger, 0, 0, this.length)
      this.buffer = larger
    }
    this.buffer.set(bytes, this.length)
    this.length = needed
  }

  private cut(pieces: Piece[]): void {
    for (;;) {
      if (this.wanted === null) this.cutEmptyLines(pieces)
      const piece = this.cutMessage()
      if (!piece) return
      pieces.push(piece)
      this.dead = piece.is === 'broken'
      if (this.dead) return
    }
  }

  private cutEmptyLines(pieces: Piece[]): void {
    let at = 0
    while (at + 1 < this.length && this.buffer[at] === CR && this.buffer[at + 1] === LF) {
      at += 2
      if (this.halfPing) pieces.push({ is: 'ping' })
      this.halfPing = !this.halfPing
    }
    // One alone answers our own ping; its other half may still come.
    if (at > 0 && this.halfPing) pieces.push({ is: 'pong' })
    if (at < this.length && this.buffer[at] !== CR) this.halfPing = false
    this.drop(at)
  }

  private cutMessage(): Piece | null {
    if (this.wanted === null) {
      const end = this.buffer.subarray(0, this.length).indexOf('\r\n\r\n', this.searched)
      if (end < 0) {
        this.searched = Math.max(0, this.length - 3)
        return this.length > MAX_MESSAGE ? this.broken(this.length, 513) : null
      }
      const head = end + 4
      const body = bodyLength(this.buffer.toString('latin1', 0, head))
      if (body === null) return this.broken(head, 400)
      if (head + body > MAX_MESSAGE) return this.broken(head, 513)
      this.wanted = head + body
    }
    if (this.length < this.wanted) return null
    const text = this.buffer.toString('latin1', 0, this.wanted)
    this.drop(this.wanted)
    this.wanted = null
    return { is: 'message', text }
  }

  private broken(headLength: number, status: 400 | 513): Piece {
    return { is: 'broken', head: this.buffer.toString('latin1', 0, headLength), status }
  }

  private drop(count: number): void {
    if (count === 0) return
    this.buffer.copy(this.buffer, 0, count, this.length)
    this.length -= count
    this.searched = 0
    if (this.length === 0 && this.buffer.length > FIRST_CAPACITY)
      this.buffer = Buffer.alloc(FIRST_CAPACITY)
  }
}

/** What Content-Length says, 0 where there is none; null when it is no number, or says two things. */
function bodyLength(head: string): number | null {
  let length: number | null = null
  for (const [, value = ''] of head.matchAll(/\r\n(?:Content-Length|l)[ \t]*:\s*([^\r\n]*)/gi)) {
    if (!/^\d{1,9}\s*$/.test(value)) return null
    if (length !== null && length !== Number(value)) return null
    length = Number(value)
  }
  return length ?? 0
}
