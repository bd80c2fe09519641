import { FRAME_MS, FRAME_SAMPLES, TELEPHONE_RATE_HZ } from '../../core/pcm.ts'

/** RFC 4733 §3.2 table 3: the event of each key is its place here. */
const KEYS = '0123456789*#ABCD'
/** ITU-T Q.23: each key is one tone of a row and one of a column. */
const ROWS_HZ = [697, 770, 852, 941]
const COLUMNS_HZ = [1209, 1336, 1477, 1633]
const KEYPAD = '123A456B789C*0#D'

const TONE_FRAMES = 5
const GAP_FRAMES = 5
const WAIT_FRAMES = 500 / FRAME_MS
/** RFC 4733 §2.5.1.4: the final packet is sent three times in all. */
const END_PACKETS = 3
/** -12 dB of full scale a tone: the sum stays clear of clipping in G.711. */
const TONE_AMPLITUDE = 8000
/** The tone rises and falls in 2 ms, so that it begins and ends without a click. */
const RAMP_SAMPLES = 16

/** What takes the place of sound for one frame. */
export type DigitFrame =
  | { kind: 'event'; event: number; end: boolean; first: boolean; durationSamples: number }
  | { kind: 'tone'; samples: Int16Array }
  | { kind: 'gap' }

/** Whether `digits` are keys (0-9 * # A-D) and waits (`w`) only. */
export function isDigits(digits: string): boolean {
  return /^[0-9*#A-Dw]*$/i.test(digits)
}

/**
 * Presses keys, frame by frame: 100 ms of key, 100 ms of gap; `w` waits half a second. As RFC 4733 events (rising
 * durations, the last sent three times) or as tones in the sound.
 */
export class DigitSender {
  private frames: DigitFrame[] = []
  private readonly waiting: { left: number; done: () => void }[] = []

  /** Queues keys behind what is queued; `done` is called when their last frame was taken. */
  press(digits: string, o: { asEvents: boolean; done: () => void }): void {
    for (const digit of digits.toUpperCase()) this.frames.push(...framesOf(digit, o.asEvents))
    this.waiting.push({ left: this.frames.length, done: o.done })
    if (this.frames.length === 0) this.settle()
  }

  /** What to send in this frame; undefined when nothing is pressed. */
  next(): DigitFrame | undefined {
    const frame = this.frames.shift()
    if (!frame) return undefined
    for (const press of this.waiting) press.left--
    this.settle()
    return frame
  }

  get idle(): boolean {
    return this.frames.length === 0
  }

  /** Forgets what is queued; every `done` is called. */
  clear(): void {
    this.frames = []
    for (const press of this.waiting) press.left = 0
    this.settle()
  }

  private settle(): void {
    while (this.waiting[0] && this.waiting[0].left <= 0) this.waiting.shift()?.done()
  }
}

/** The four bytes of an event packet (RFC 4733 §2.3) into `to` from `offset` on; the volume is -10 dBm0. */
export function writeEvent(
  to: Uint8Array,
  offset: number,
  frame: Extract<DigitFrame, { kind: 'event' }>,
): void {
  to[offset] = frame.event
  to[offset + 1] = (frame.end ? 0x80 : 0) | 10
  to[offset + 2] = frame.durationSamples >> 8
  to[offset + 3] = frame.durationSamples
}

function framesOf(digit: string, asEvents: boolean): DigitFrame[] {
  const gap = (count: number): DigitFrame[] => new Array(count).fill({ kind: 'gap' })
  if (digit === 'W') return gap(WAIT_FRAMES)
  const event = KEYS.indexOf(digit)
  if (event < 0) return []
  if (!asEvents) return [...toneFrames(digit), ...gap(GAP_FRAMES)]
  // A packet tells how long the key has been down so far; the repeats of the last fall into the gap.
  const down: DigitFrame[] = []
  for (let n = 1; n < TONE_FRAMES + END_PACKETS; n++)
    down.push({
      kind: 'event',
      event,
      end: n >= TONE_FRAMES,
      first: n === 1,
      durationSamples: Math.min(n, TONE_FRAMES) * FRAME_SAMPLES,
    })
  return [...down, ...gap(GAP_FRAMES - END_PACKETS + 1)]
}

function toneFrames(digit: string): DigitFrame[] {
  const place = KEYPAD.indexOf(digit)
  const row = ROWS_HZ[place >> 2] as number
  const column = COLUMNS_HZ[place & 3] as number
  const length = TONE_FRAMES * FRAME_SAMPLES
  const whole = Int16Array.from({ length }, (_, n) => {
    const turn = (2 * Math.PI * n) / TELEPHONE_RATE_HZ
    const ramp = Math.min(1, n / RAMP_SAMPLES, (length - 1 - n) / RAMP_SAMPLES)
    return Math.round(TONE_AMPLITUDE * ramp * (Math.sin(row * turn) + Math.sin(column * turn)))
  })
  return Array.from({ length: TONE_FRAMES }, (_, n) => ({
    kind: 'tone',
    samples: whole.subarray(n * FRAME_SAMPLES, (n + 1) * FRAME_SAMPLES),
  }))
}
