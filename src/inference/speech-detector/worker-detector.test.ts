import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { SimClock } from '../../../test/kit/sim-clock.ts'
import { jfk, sharedDataDir, writeFrames } from '../../../test/kit/speech.ts'
import { until } from '../../../test/kit/until.ts'
import type { SpeechEvent } from '../../conversation/ports.ts'
import { systemClock } from '../../core/clock.ts'
import { silentLog } from '../../core/log.ts'
import { Ring } from '../../core/ring.ts'
import { createSpeechDetector } from './worker-detector.ts'

const stops: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

function setup(dataDir = sharedDataDir()) {
  const workers: Worker[] = []
  const detector = createSpeechDetector({
    clock: systemClock,
    log: silentLog,
    dataDir,
    spawn() {
      const worker = new Worker(new URL('./vad-worker.ts', import.meta.url).href)
      workers.push(worker)
      return worker
    },
  })
  stops.push(() => detector.stop())
  const ring = Ring.create(8000, 20)
  const events: SpeechEvent[] = []
  return { detector, ring, events, workers }
}

const pauses = (events: readonly SpeechEvent[]): number =>
  events.filter(({ type }) => type === 'speech_paused').length

describe('the speech detector in its thread', () => {
  it('starts no thread before it is needed', () => {
    expect(setup().workers).toHaveLength(0)
  })

  it('is ready when probed', async () => {
    expect(await setup().detector.probe()).toEqual({
      name: 'speech-detector',
      state: 'ready',
      reason: 'Silero VAD',
    })
  })

  it('hears what was said before its thread was there', async () => {
    const { detector, ring, events } = setup()
    detector.watch(ring, (event) => events.push(event))
    writeFrames(ring, jfk().subarray(0, 8000 * 3))
    await until(() => pauses(events) === 1)
    expect(events[0]).toMatchObject({ type: 'speech_started' })
    expect(events.map(({ from }) => from)[0]).toBeLessThan(0.4 * 8000)
  })

  it('pauses our sound by itself while the main thread is busy', async () => {
    const { detector, ring, events } = setup()
    detector.watch(ring, (event) => events.push(event))
    // The thread takes its messages in order: once it answers this, it watches.
    await detector.probe()
    ring.arm({ minSpeech: 1600, graceUntil: 0, graceMinSpeech: 0 })
    writeFrames(ring, jfk().subarray(0, 8000))
    const busyUntil = performance.now() + 1000
    let raisedAfter = -1
    while (performance.now() < busyUntil && raisedAfter < 0)
      if (ring.paused) raisedAfter = busyUntil - performance.now()
    expect(raisedAfter).toBeGreaterThan(0)
    expect(events).toEqual([])
    await until(() => events.some(({ type }) => type === 'barge_in'))
  })

  it('tells two calls apart and nothing any more after unwatching', async () => {
    const { detector, ring, events } = setup()
    const other = Ring.create(8000, 20)
    const others: SpeechEvent[] = []
    detector.watch(ring, (event) => events.push(event))
    const unwatch = detector.watch(other, (event) => others.push(event))
    writeFrames(ring, jfk().subarray(0, 8000 * 3))
    await until(() => pauses(events) === 2)
    expect(others).toEqual([])
    unwatch()
    writeFrames(other, jfk().subarray(0, 8000 * 3))
    writeFrames(ring, jfk().subarray(8000 * 3, 8000 * 5))
    await until(() => pauses(events) === 4)
    expect(others).toEqual([])
  })

  it('goes on with the same run of speech in a new thread when its thread died', async () => {
    const { detector, ring, events, workers } = setup()
    detector.watch(ring, (event) => events.push(event))
    const speech = jfk()
    writeFrames(ring, speech.subarray(0, 8000))
    // A stop in the word tears it: the run that is open is the second.
    await until(() => events.length >= 3)
    workers[0]?.postMessage({ type: 'end' })
    await until(() => workers.length === 2)
    writeFrames(ring, speech.subarray(8000, 8000 * 3))
    await until(() => pauses(events) >= 2)
    expect(events[3]?.type).toBe('speech_paused')
    expect(events[3]?.from).toBe(events[2]?.from as number)
  })

  it('tries again when no thread can be had in place of one that died', async () => {
    const clock = new SimClock()
    const spawned: ('made' | 'refused')[] = []
    const detector = createSpeechDetector({
      clock,
      log: silentLog,
      dataDir: sharedDataDir(),
      spawn() {
        const refused = spawned.length === 1
        spawned.push(refused ? 'refused' : 'made')
        if (refused) throw new Error('no more threads')
        const source = 'self.onmessage = ({ data }) => data.type === "end" && process.exit(0)'
        const worker = new Worker(URL.createObjectURL(new Blob([source])))
        if (spawned.length === 1) first = worker
        return worker
      },
    })
    let first: Worker | undefined
    detector.watch(Ring.create(8000, 1), () => undefined)
    const gone = new Promise((done) => first?.addEventListener('close', done))
    first?.postMessage({ type: 'end' })
    await gone
    await clock.advance(100)
    await clock.advance(200)
    expect(spawned).toEqual(['made', 'refused', 'made'])
    await detector.stop()
  })

  it('says why it cannot work', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'landline-vad-'))
    chmodSync(dataDir, 0o777)
    const { detector } = setup(dataDir)
    const probe = await detector.probe()
    expect(probe.state).toBe('missing')
    expect(probe.reason).toMatch(/writable by everybody/)
    rmSync(dataDir, { recursive: true })
  })

  it('refuses a ring at another rate', () => {
    const { detector } = setup()
    expect(() => detector.watch(Ring.create(24_000, 1), () => {})).toThrow(/16000 Hz, not 24000/)
  })
})
