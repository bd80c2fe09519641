/** What passes on the wire for one call: its messages over all trunks that are tried, and how its sound fared. */
import type { CallTrace, MediaFigures, TraceMessage } from '../calls/call-trace.ts'
import type { TraceSource } from '../calls/ports.ts'
import type { Clock } from '../core/clock.ts'
import type { MediaSession } from './media/media.ts'
import type { MessageTap, Passing } from './sip/message-tap.ts'
import { redactMessage } from './sip/redact-message.ts'
import { bracket, protocolOf } from './sip/transport.ts'
import { printable } from './sip/wire-message.ts'

/** Of more messages the middle is left out: how a call began and how it ended is what is asked for. */
const KEPT_FROM_BEGIN = 150
const KEPT_TO_END = 50
/** Characters of a message. */
const LONGEST_TEXT = 8_192
/** What is still under way when a call ends: the ACK of a refusal, the answer to a BYE. */
const LINGER_MS = 5
/** RFC 3261 §17: nothing of a transaction comes later than 64 × T1. */
const FORGET_MS = 32_000

export class TraceRecorder implements TraceSource {
  readonly complete: Promise<void>
  private readonly clock: Clock
  private readonly begunAt: { wall: number; steady: number }
  private readonly messages: TraceMessage[] = []
  /** By direction and text, to know what is sent again. */
  private readonly known = {
    sent: new Map<string, TraceMessage>(),
    received: new Map<string, TraceMessage>(),
  }
  private omitted = 0
  private finished = false
  private session: MediaSession | null = null
  private readonly releases: (() => void)[] = []
  private readonly resolveComplete: () => void

  constructor(clock: Clock) {
    this.clock = clock
    this.begunAt = { wall: clock.now(), steady: clock.steady() }
    const { promise, resolve } = Promise.withResolvers<void>()
    this.complete = promise
    this.resolveComplete = resolve
  }

  /** Keeps every message of the dialogs with this Call-ID from now on. */
  follow(tap: MessageTap, callId: string, trunk: string): void {
    this.releases.push(tap.listen(callId, (passing) => this.add(passing, trunk)))
  }

  /** The sound that was agreed on; the last one counts. */
  sound(session: MediaSession): void {
    this.session = session
  }

  /** The call is over; messages are still kept for a while, in case somebody reads again. */
  finish(): void {
    if (this.finished) return
    this.finished = true
    const lingered = new Promise<void>((done) => void this.clock.after(LINGER_MS, done))
    void Promise.all([lingered, this.session?.over]).then(() => this.resolveComplete())
    this.clock.after(FORGET_MS, () => {
      for (const release of this.releases.splice(0)) release()
    })
  }

  read(): CallTrace {
    const messages = this.messages.map((message) => ({ ...message }))
    return { messages, omitted: this.omitted, media: this.figures() }
  }

  private figures(): MediaFigures | null {
    const stats = this.session?.stats()
    return stats && stats.codec !== null ? { ...stats } : null
  }

  private add({ direction, text, remote }: Passing, trunk: string): void {
    const shown = redactMessage(readable(text.slice(0, LONGEST_TEXT)))
    const before = this.known[direction].get(shown)
    if (before) {
      before.repeated++
      return
    }
    const { wall, steady } = this.begunAt
    const message: TraceMessage = {
      // The wall clock may be set meanwhile; the ladder's steps stay what they were.
      at: Math.round(wall + this.clock.steady() - steady),
      direction,
      trunk,
      transport: protocolOf(remote),
      remote: `${bracket(remote.host)}:${remote.port}`,
      summary: summaryOf(text),
      text: shown,
      repeated: 0,
    }
    this.messages.push(message)
    this.known[direction].set(shown, message)
    if (this.messages.length > KEPT_FROM_BEGIN + KEPT_TO_END) this.omit()
  }

  private omit(): void {
    const [left] = this.messages.splice(KEPT_FROM_BEGIN, 1)
    if (left) this.known[left.direction].delete(left.text)
    this.omitted++
  }
}

/** `INVITE`, or `200 OK (INVITE)`. */
function summaryOf(text: string): string {
  const line = text.slice(0, Math.max(0, text.indexOf('\r\n')))
  const response = /^SIP\/\S+ (.*)$/i.exec(line)
  if (!response) return printable(line.split(' ', 1)[0] ?? '').slice(0, 40)
  const method = /\r\nCSeq[ \t]*:[ \t]*\d+[ \t]+(\S{1,40})/i.exec(text)?.[1] ?? '?'
  return `${printable(readable(response[1] ?? ''))
    .trim()
    .slice(0, 80)} (${printable(method)})`
}

/** On the wire it is bytes; what people wrote in it is UTF-8 (RFC 3261 §7). */
function readable(latin1: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: every character that is no ASCII
  return /[^\x00-\x7f]/.test(latin1) ? Buffer.from(latin1, 'latin1').toString('utf8') : latin1
}
