/** The other end of a fake leg: what the callee of the gym speaks into and hears by, on simulated time. */
import type { Leg, LegEnd, Playback } from '../../src/calls/ports.ts'
import type { Clock } from '../../src/core/clock.ts'
import { FRAME_MS, FRAME_SAMPLES, TELEPHONE_RATE_HZ, toMs } from '../../src/core/pcm.ts'
import { Ring } from '../../src/core/ring.ts'
import { WireLog } from '../../src/telephony/media/wire-log.ts'
import type { FakeLeg } from './fake-leg.ts'

const RING_SECONDS = 60
const LOUD = 6000

/** `textOf` tells which clips are speech, and of what. */
export function createFarEnd(
  near: FakeLeg,
  o: { clock: Clock; textOf: ReadonlyMap<Int16Array, string> },
): { leg: Leg; wire: WireLog } {
  const { clock, textOf } = o
  const ears = Ring.create(TELEPHONE_RATE_HZ, RING_SECONDS)
  const wire = WireLog.create()
  const voice = Int16Array.from({ length: FRAME_SAMPLES }, (_, i) => (i % 16 < 8 ? LOUD : -LOUD))
  const silence = new Int16Array(FRAME_SAMPLES)
  let speaksUntil = Number.NEGATIVE_INFINITY
  let pressed = 0
  let over = false
  let onDigit: (digit: string) => void = () => undefined

  function tick(): void {
    if (over) return
    const sounds = near.queued > 0 && !near.ears.paused
    ears.write(sounds ? voice : silence)
    const at = clock.now()
    wire.add({ at, sent: true, loudness: at < speaksUntil ? LOUD : 0 })
    wire.add({ at, sent: false, loudness: sounds ? LOUD : 0 })
    for (const keys of near.digits.slice(pressed)) for (const key of keys) onDigit(key)
    pressed = near.digits.length
    clock.after(FRAME_MS, tick)
  }

  function enqueue(clip: Int16Array<SharedArrayBuffer>): Playback {
    const wait = Math.max(0, speaksUntil - clock.now())
    const ms = toMs(clip.length)
    speaksUntil = clock.now() + wait + ms
    const text = textOf.get(clip)
    const started = new Promise<boolean>((done) => {
      clock.after(wait, () => {
        if (text === undefined) near.sound(clip)
        else near.say(text, ms)
        done(true)
      })
    })
    const whole = { heardSamples: clip.length, whole: true }
    const ended = new Promise<typeof whole>((done) => {
      clock.after(wait + ms, () => done(whole))
      void near.ended.then(() => done({ heardSamples: 0, whole: false }))
    })
    return { started, ended }
  }

  clock.after(FRAME_MS, tick)
  void near.ended.then(() => {
    over = true
  })
  const leg: Leg = {
    ears,
    mouth: { enqueue, stop() {}, resume() {}, arm() {} },
    sendDigits: async (digits) => {
      for (const digit of digits) near.press(digit)
    },
    onDigit(listener) {
      onDigit = listener
    },
    transfer: async () => ({ ok: false, reason: 'nobody to hand over to' }),
    hangup: async () => near.humanHangsUp(),
    held: false,
    lastHold: null,
    ended: near.ended.then((end): LegEnd => (end.by === 'us' ? { by: 'human' } : { by: 'us' })),
  }
  return { leg, wire }
}
