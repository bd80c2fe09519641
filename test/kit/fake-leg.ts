import type { Leg, LegEnd, Playback, TransferOutcome } from '../../src/calls/ports.ts'
import type { Clock } from '../../src/core/clock.ts'
import { FRAME_MS, FRAME_SAMPLES, TELEPHONE_RATE_HZ, toMs, toSamples } from '../../src/core/pcm.ts'
import { Ring } from '../../src/core/ring.ts'

/** A stretch of the human's speech; times are ms since the answer. */
export interface Speech {
  at: number
  ms: number
  text: string
  /** A pure tone instead of a voice. */
  hz?: number
  /** This sound instead of a voice. */
  samples?: Int16Array
}

/** A clip that left for the human: from when to when, and how much of it. */
export interface Played {
  clip: Int16Array
  from: number
  to: number
  heardSamples: number
}

/** A call with a human of whom every word is known beforehand, on simulated time. */
export interface FakeLeg extends Leg {
  /** ms since the answer. */
  time(): number
  /** The human says `text` from now (or `at`) on, for `ms`. */
  say(text: string, ms: number, at?: number): void
  /** This sounds from now on. */
  sound(samples: Int16Array): void
  /** A tone sounds from now (or `at`) on. */
  beep(hz: number, ms: number, at?: number): void
  /** The text of what was said between two positions; of a word half said, nothing. */
  textBetween(from: number, to: number): string
  humanHangsUp(): void
  /** The human presses a key. */
  press(digit: string): void
  end(end: LegEnd): void
  hold(held: boolean): void
  /** What the human heard, in order. */
  readonly played: readonly Played[]
  /** Clips in the mouth, the sounding one included. */
  readonly queued: number
  readonly digits: readonly string[]
  /** The numbers that the human was to be handed over to. */
  readonly transfers: readonly string[]
  /** When `hangup` was called first, ms since the answer. */
  readonly hungUpAt: number | null
}

interface Queued {
  clip: Int16Array<SharedArrayBuffer>
  startedAt: number | null
  /** Since when it plays; null while it waits, for its turn or paused. */
  playsSince: number | null
  /** How much of it left before `playsSince`. */
  heard: number
  forget: () => void
  started(value: boolean): void
  ended(value: { heardSamples: number; whole: boolean }): void
}

const RING_SECONDS = 60
const LOUD = 6000
const KEY_MS = 160
const TRANSFER_MS = 1000

/**
 * A leg that was answered now. Sound is written in frames of 20 ms; clips play in simulated time. `transfer` tells what
 * becomes of a transfer; without it each succeeds after a second.
 */
export function createFakeLeg(o: {
  clock: Clock
  says?: readonly Speech[]
  transfer?: (number: string) => Promise<TransferOutcome>
}): FakeLeg {
  const { clock } = o
  const answeredAt = clock.now()
  const ears = Ring.create(TELEPHONE_RATE_HZ, RING_SECONDS)
  const says: Speech[] = [...(o.says ?? [])]
  const silence = new Int16Array(FRAME_SAMPLES)
  const queue: Queued[] = []
  const played: Played[] = []
  const digits: string[] = []
  const transfers: string[] = []
  const ended = Promise.withResolvers<LegEnd>()
  let over = false
  let held = false
  let onDigit: (digit: string) => void = () => undefined
  let lastHold: Leg['lastHold'] = null
  let hungUpAt: number | null = null

  const time = (): number => clock.now() - answeredAt

  function frame(): Int16Array {
    const begin = ears.written
    const near = says.filter(
      ({ at, ms }) => toSamples(at) < begin + FRAME_SAMPLES && toSamples(at + ms) > begin,
    )
    if (near.length === 0) return silence
    return Int16Array.from({ length: FRAME_SAMPLES }, (_, i) => {
      const position = begin + i
      const heard = near.find(
        ({ at, ms }) => position >= toSamples(at) && position < toSamples(at + ms),
      )
      if (heard?.samples) return heard.samples[position - toSamples(heard.at)] ?? 0
      if (heard?.hz)
        return Math.round(LOUD * Math.sin((2 * Math.PI * heard.hz * position) / TELEPHONE_RATE_HZ))
      return heard ? (position % 16 < 8 ? LOUD : -LOUD) : 0
    })
  }

  function tick(): void {
    if (over) return
    ears.write(frame())
    lookAtPause()
    clock.after(FRAME_MS, tick)
  }

  function lookAtPause(): void {
    const current = queue[0]
    if (!current) return
    if (!ears.paused && current.playsSince === null) begin(current)
    if (!ears.paused || current.playsSince === null) return
    current.forget()
    current.heard = heardOf(current)
    current.playsSince = null
  }

  function begin(next: Queued): void {
    if (ears.paused) return
    next.startedAt ??= clock.now()
    next.playsSince = clock.now()
    next.started(true)
    const left = next.clip.length - next.heard
    next.forget = clock.after(toMs(left), () => finish(next, next.clip.length))
  }

  function heardOf({ clip, heard, playsSince }: Queued): number {
    const since = playsSince === null ? 0 : Math.floor(toSamples(clock.now() - playsSince))
    return Math.min(heard + since, clip.length)
  }

  function finish(item: Queued, heardSamples: number): void {
    item.forget()
    if (queue.includes(item)) queue.splice(queue.indexOf(item), 1)
    ears.addHeard(heardSamples)
    if (item.startedAt !== null) {
      const from = item.startedAt - answeredAt
      played.push({ clip: item.clip, from, to: time(), heardSamples })
    }
    item.started(false)
    item.ended({ heardSamples, whole: heardSamples === item.clip.length })
    const next = queue[0]
    if (next && next.playsSince === null) begin(next)
  }

  function stop(): void {
    for (const item of queue.splice(0)) finish(item, heardOf(item))
    ears.resume()
  }

  function end(by: LegEnd): void {
    if (over) return
    over = true
    stop()
    ended.resolve(by)
  }

  clock.after(FRAME_MS, tick)
  return {
    ears,
    mouth: {
      enqueue(clip): Playback {
        const started = Promise.withResolvers<boolean>()
        const ending = Promise.withResolvers<{ heardSamples: number; whole: boolean }>()
        const item: Queued = {
          clip,
          startedAt: null,
          playsSince: null,
          heard: 0,
          forget: () => undefined,
          started: started.resolve,
          ended: ending.resolve,
        }
        if (over) {
          item.started(false)
          item.ended({ heardSamples: 0, whole: false })
        } else {
          queue.push(item)
          if (queue.length === 1) begin(item)
        }
        return { started: started.promise, ended: ending.promise }
      },
      stop,
      resume: () => ears.resume(),
      arm: (rule) => ears.arm(rule),
    },
    async sendDigits(keys) {
      digits.push(keys)
      await new Promise<void>((done) => clock.after(KEY_MS * keys.length, done))
    },
    onDigit(listener) {
      onDigit = listener
    },
    press: (digit) => onDigit(digit),
    async transfer(number) {
      transfers.push(number)
      if (o.transfer) return o.transfer(number)
      await new Promise<void>((done) => clock.after(TRANSFER_MS, done))
      return { ok: true }
    },
    async hangup() {
      hungUpAt ??= time()
      end({ by: 'us' })
      await ended.promise
    },
    get held() {
      return held
    },
    ended: ended.promise,
    time,
    say: (text, ms, at = time()) => void says.push({ text, ms, at }),
    sound: (samples) => void says.push({ text: '', ms: toMs(samples.length), at: time(), samples }),
    beep: (hz, ms, at = time()) => void says.push({ text: '', ms, at, hz }),
    textBetween: (from, to) => textBetween(says, toMs(from), toMs(to)),
    humanHangsUp: () => end({ by: 'human' }),
    end,
    get lastHold() {
      return lastHold
    },
    hold(value) {
      if (value && !held) lastHold = { from: ears.written, to: null }
      if (!value && held && lastHold) lastHold = { from: lastHold.from, to: ears.written }
      held = value
    },
    played,
    get queued() {
      return queue.length
    },
    digits,
    transfers,
    get hungUpAt() {
      return hungUpAt
    },
  }
}

function textBetween(says: readonly Speech[], from: number, to: number): string {
  return [...says]
    .sort((a, b) => a.at - b.at)
    .map(({ at, ms, text }) => {
      const words = text.split(' ')
      // Words are spread evenly; an edge cut by less than a frame does not cost one.
      const index = (when: number): number => ((when - at) / ms) * words.length
      const first = Math.max(0, Math.ceil(index(from + FRAME_MS * 2) - 1))
      const last = Math.max(0, Math.floor(index(to + FRAME_MS * 2)))
      return words.slice(first, last).join(' ')
    })
    .filter((text) => text !== '')
    .join(' ')
}
