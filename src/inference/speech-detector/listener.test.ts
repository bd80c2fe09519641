import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { randomSource } from '../../../test/kit/seeded.ts'
import { demoSentences, heardByTelephone, jfk, sharedDataDir } from '../../../test/kit/speech.ts'
import type { SpeechEvent } from '../../conversation/ports.ts'
import { Ring } from '../../core/ring.ts'
import { openRuntime, type Session } from '../onnx/runtime.ts'
import { Listener, listenTogether } from './listener.ts'

const model = join(import.meta.dirname, '../../../models/silero_vad.onnx')
let session: Session
let runs = 0
let windows = 0

beforeAll(() => {
  const opened = openRuntime(sharedDataDir()).createSession(readFileSync(model))
  session = {
    ...opened,
    run(feeds) {
      runs++
      windows += Number(feeds.input?.dims[0])
      return opened.run(feeds)
    },
  }
})

/** What is told of sounds that come at the same time, packet by packet. */
function hear(sounds: readonly Int16Array[], gated = true): SpeechEvent[][] {
  runs = 0
  windows = 0
  const rings = sounds.map(() => Ring.create(8000, 60))
  const told: SpeechEvent[][] = sounds.map(() => [])
  const listeners = rings.map(
    (ring, i) =>
      new Listener({
        session,
        ring,
        at: 0,
        speechFrom: null,
        on: (event) => told[i]?.push(event),
        gated,
      }),
  )
  const longest = Math.max(...sounds.map(({ length }) => length))
  for (let at = 0; at < longest; at += 160) {
    for (const [i, ring] of rings.entries())
      ring.write(sounds[i]?.subarray(at, at + 160) ?? new Int16Array(0))
    listenTogether(session, listeners)
  }
  return told
}

/** Speech after a silence with the noise of a line in it. */
function soundAfter(ms: number, speech: Int16Array, noise = 6): Int16Array {
  const random = randomSource(5)
  const lead = ms * 8
  return Int16Array.from(
    { length: lead + speech.length + 8000 },
    (_, i) => (speech[i - lead] ?? 0) + Math.round((random() - 0.5) * 2 * noise),
  )
}

const starts = (events: readonly SpeechEvent[]): number[] =>
  events.flatMap(({ type, from }) => (type === 'speech_started' ? [from] : []))

describe('the energy gate', () => {
  it('hears sentences begin as soon as the model alone does, but for a window or two', () => {
    const spoken = demoSentences().filter(({ kind }) => kind !== 'none')
    const later = spoken.slice(0, 24).map(({ file }) => {
      const sound = soundAfter(2500, heardByTelephone(file))
      const [gated = [], all = []] = [hear([sound])[0], hear([sound], false)[0]]
      return (starts(gated)[0] ?? Number.NaN) - (starts(all)[0] ?? Number.NaN)
    })
    later.sort((a, b) => a - b)
    expect(later[12]).toBe(0)
    expect(Math.max(...later)).toBeLessThanOrEqual(512)
  })

  it('hears a soft voice, too', () => {
    const soft = soundAfter(
      2500,
      heardByTelephone('held-004-en-us.wav').map((sample) => sample / 30),
      2,
    )
    expect(starts(hear([soft])[0] ?? []).length).toBeGreaterThan(0)
  })

  it('spares the model the silence, of zeros as of a noisy line', () => {
    for (const noise of [0, 6, 60]) {
      hear([soundAfter(20_000, new Int16Array(0), noise)])
      expect(windows).toBeLessThan(0.15 * (20_000 / 32))
    }
  })

  it('is open on a line so noisy that a voice may hide in it', () => {
    hear([soundAfter(10_000, new Int16Array(0), 3000)])
    expect(windows).toBeGreaterThan(0.9 * (10_000 / 32))
  })
})

describe('listening to many', () => {
  it('tells of each what it would tell of it alone, in far fewer runs', () => {
    const sounds = [
      jfk().subarray(0, 5 * 8000),
      soundAfter(300, heardByTelephone('held-004-en-us.wav')),
      soundAfter(700, heardByTelephone('held-009-rms.wav')),
      soundAfter(100, heardByTelephone('free-009-kal.wav')),
    ]
    const together = hear(sounds)
    expect(runs).toBeLessThan(windows / 2)
    const alone = sounds.map((sound) => hear([sound])[0])
    expect(together).toEqual(alone)
  })
})
