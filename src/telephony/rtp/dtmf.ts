import { toSamples } from '../../core/pcm.ts'

/** RFC 4733 §3.2 table 3: the event of each key is its place here. */
export const KEYS = '0123456789*#ABCD'
/** ITU-T Q.23: each key is one tone of a row and one of a column. */
export const ROWS_HZ = [697, 770, 852, 941] as const
export const COLUMNS_HZ = [1209, 1336, 1477, 1633] as const
export const KEYPAD = '123A456B789C*0#D'

const TONE_MS = 100
const GAP_MS = 100
const WAIT_MS = 500
/** RFC 4733 §2.5.1.4: the final packet is sent three times in all. */
const END_PACKETS = 3
/** -12 dB of full scale a tone: the sum stays clear of clipping in G.711. */
const TONE_AMPLITUDE = 8000
/** The tone rises and falls in 2 ms, so that it begins and ends without a click. */
const RAMP_MS = 2

/** What takes the place of sound in one packet. */
export type DigitFrame =
  | { kind: 'event'; event: number; end: boolean; first: boolean; durationMs: number }
  | { kind: 'tone'; samples: Int16Array }
  | { kind: 'gap' }

interface Press {
  /** Upper-case keys and waits that are still to come; the first is under way. */
  left: string
  asEvents: boolean
  done: () => void
}

/** Whether `digits` are keys (0-9 * # A-D) and waits (`w`) only. */
export function isDigits(digits: string): boolean {
  return /^[0-9*#A-Dw]*$/i.test(digits)
}

/**
 * Presses keys, packet by packet: 100 ms of key, 100 ms of gap (each rounded up to whole packets); `w` waits half a
 * second. As RFC 4733 events (rising durations, the last sent three times) or as tones in the sound.
 */
export class DigitSender {
  private readonly presses: Press[] = []
  /** How long the key under way has been, in ms, and how often its end was sent. */
  private elapsedMs = 0
  private heldMs = 0
  private ends = 0

  /** Queues keys behind what is queued; `done` is called when their last packet was taken. */
  press(digits: string, o: { asEvents: boolean; done: () => void }): void {
    if (digits === '') o.done()
    else this.presses.push({ left: digits.toUpperCase(), ...o })
  }

  /** What to send in a packet of `ms`; undefined when nothing is pressed. */
  next(ms: number, rateHz: number): DigitFrame | undefined {
    const [press] = this.presses
    const key = press?.left[0]
    if (!press || key === undefined) return undefined
    const frame = this.frameOf(key, press.asEvents, { ms, rateHz })
    this.elapsedMs += ms
    if (this.isOver(key, press.asEvents)) this.endKey(press)
    return frame
  }

  get idle(): boolean {
    return this.presses.length === 0
  }

  /** Forgets what is queued; every `done` is called. */
  clear(): void {
    this.startKey()
    for (const { done } of this.presses.splice(0)) done()
  }

  private frameOf(
    key: string,
    asEvents: boolean,
    { ms, rateHz }: { ms: number; rateHz: number },
  ): DigitFrame {
    if (key === 'W') return { kind: 'gap' }
    if (!asEvents) {
      const samples = this.elapsedMs < TONE_MS ? toneOf(key, this.elapsedMs, { ms, rateHz }) : null
      return samples ? { kind: 'tone', samples } : { kind: 'gap' }
    }
    if (this.ends === END_PACKETS) return { kind: 'gap' }
    const first = this.heldMs === 0
    if (this.ends === 0) this.heldMs += ms
    const end = this.heldMs >= TONE_MS
    if (end) this.ends++
    return { kind: 'event', event: KEYS.indexOf(key), end, first, durationMs: this.heldMs }
  }

  /** The gap begins when the key was let go; the repeats of its end fall into it. */
  private isOver(key: string, asEvents: boolean): boolean {
    if (key === 'W') return this.elapsedMs >= WAIT_MS
    const held = asEvents ? this.heldMs : TONE_MS
    return this.elapsedMs >= held + GAP_MS && (!asEvents || this.ends === END_PACKETS)
  }

  private endKey(press: Press): void {
    this.startKey()
    press.left = press.left.slice(1)
    if (press.left !== '') return
    this.presses.shift()
    press.done()
  }

  private startKey(): void {
    this.elapsedMs = 0
    this.heldMs = 0
    this.ends = 0
  }
}

/** The four bytes of an event packet (RFC 4733 §2.3) into `to` from `offset` on; the volume is -10 dBm0. */
export function writeEvent(
  to: Uint8Array,
  offset: number,
  frame: { event: number; end: boolean; duration: number },
): void {
  to[offset] = frame.event
  to[offset + 1] = (frame.end ? 0x80 : 0) | 10
  to[offset + 2] = frame.duration >> 8
  to[offset + 3] = frame.duration
}

/** `ms` of the key's sound from `fromMs` on; after its end silence. */
function toneOf(
  key: string,
  fromMs: number,
  { ms, rateHz }: { ms: number; rateHz: number },
): Int16Array {
  const place = KEYPAD.indexOf(key)
  const row = ROWS_HZ[place >> 2] as number
  const column = COLUMNS_HZ[place & 3] as number
  const from = toSamples(fromMs, rateHz)
  const end = toSamples(TONE_MS, rateHz)
  const ramp = toSamples(RAMP_MS, rateHz)
  return Int16Array.from({ length: toSamples(ms, rateHz) }, (_, i) => {
    const n = from + i
    const turn = (2 * Math.PI * n) / rateHz
    const gain = Math.max(0, Math.min(1, n / ramp, (end - 1 - n) / ramp))
    return Math.round(TONE_AMPLITUDE * gain * (Math.sin(row * turn) + Math.sin(column * turn)))
  })
}
