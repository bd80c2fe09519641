import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { SimClock } from '../../../test/kit/sim-clock.ts'
import { jfk, sharedDataDir, writeFrames } from '../../../test/kit/speech.ts'
import { writeTurnModel } from '../../../test/kit/turn-models.ts'
import { until } from '../../../test/kit/until.ts'
import { type Clock, systemClock } from '../../core/clock.ts'
import { silentLog } from '../../core/log.ts'
import { Ring } from '../../core/ring.ts'
import { createTurnModel } from './turn-model.ts'

const stops: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

const FILE = 'models/smart-turn/smart-turn-v3.2-cpu.onnx'

function setup(o: { clock?: Clock; spawn?: () => Worker } = {}) {
  const dataDir = mkdtempSync(join(tmpdir(), 'landline-turn-'))
  symlinkSync(join(sharedDataDir(), 'runtime'), join(dataDir, 'runtime'))
  const workers: Worker[] = []
  const warnings: unknown[] = []
  const turns = createTurnModel({
    clock: o.clock ?? systemClock,
    log: { ...silentLog, warn: (_, fields) => void warnings.push(fields?.reason) },
    dataDir,
    spawn() {
      const worker =
        o.spawn?.() ?? new Worker(new URL('./smart-turn-worker.ts', import.meta.url).href)
      workers.push(worker)
      return worker
    },
  })
  stops.push(
    () => turns.stop(),
    () => rmSync(dataDir, { recursive: true }),
  )
  const ears = Ring.create(8000, 20)
  const speech = jfk().subarray(0, 8000 * 2)
  writeFrames(ears, speech)
  const judge = () => turns.judge({ ears, from: 0, to: speech.length })
  return { dataDir, path: join(dataDir, FILE), turns, workers, warnings, ears, judge }
}

/** Takes everything and answers nothing. */
function deafWorker(): Worker {
  const deaf = { postMessage() {}, addEventListener: (_: string, on: () => void) => on() }
  return deaf as unknown as Worker
}

describe('the turn model in its thread', () => {
  it('hears the pause so far behind the speech', async () => {
    const { path, ears, judge } = setup()
    writeTurnModel(path)
    expect(await judge()).toBeLessThan(0.2)
    writeFrames(ears, new Int16Array(1600))
    expect(await judge()).toBeGreaterThan(0.8)
  })

  it('hears no more of what came after the speech than a pause', async () => {
    const { path, ears, judge } = setup()
    writeTurnModel(path)
    writeFrames(ears, new Int16Array(1600))
    writeFrames(ears, jfk().subarray(0, 16_000))
    expect(await judge()).toBeGreaterThan(0.8)
  })

  it('judges speech longer than its window, and some that is not there', async () => {
    const { path, turns, judge } = setup()
    writeTurnModel(path)
    const long = Ring.create(8000, 20)
    writeFrames(long, jfk())
    writeFrames(long, new Int16Array(1600))
    const { length } = jfk()
    expect(await turns.judge({ ears: long, from: 0, to: length })).toBeGreaterThan(0.8)
    const nowhere = await turns.judge({ ears: long, from: 9_000_000, to: 9_004_000 })
    expect(nowhere).toBeGreaterThanOrEqual(0)
    expect(await judge()).toBeLessThan(0.2)
  })

  it('answers several calls, each its own', async () => {
    const { path, turns, ears } = setup()
    writeTurnModel(path)
    const quiet = Ring.create(8000, 20)
    writeFrames(quiet, jfk().subarray(0, 16_000))
    writeFrames(quiet, new Int16Array(1600))
    const of = (ring: Ring) => turns.judge({ ears: ring, from: 0, to: 16_000 })
    const [first, second, third] = await Promise.all([of(ears), of(quiet), of(ears)])
    expect(first).toBeLessThan(0.2)
    expect(second).toBeGreaterThan(0.8)
    expect(third).toBe(first)
  })

  it('is ready when probed, and tells which file it is', async () => {
    const { path, turns } = setup()
    writeTurnModel(path)
    expect(await turns.probe()).toEqual({
      name: 'turn model',
      state: 'ready',
      reason: 'Smart Turn, smart-turn-v3.2-cpu.onnx',
    })
  })

  it('has loaded by the first turn once it was started', async () => {
    const { path, turns, workers } = setup()
    writeTurnModel(path)
    expect(workers).toHaveLength(0)
    await turns.start()
    expect(workers).toHaveLength(1)
  })
})

describe('a turn model that is not as it should be', () => {
  it('is missing, with the command that mends it, and starts no thread for that', async () => {
    const { turns, workers } = setup()
    expect(await turns.probe()).toEqual({
      name: 'turn model',
      state: 'missing',
      reason: 'Smart Turn is not installed',
      mend: 'landline models pull smart-turn',
    })
    expect(workers).toHaveLength(0)
  })

  it('rejects in one sentence without a path, is told once, and is read anew when probed', async () => {
    const { path, turns, judge, warnings } = setup()
    writeTurnModel(path)
    truncateSync(path, 300)
    const reason = `${FILE} is truncated`
    await turns.start()
    await until(() => warnings.length > 0)
    for (let i = 0; i < 3; i++) await expect(judge()).rejects.toThrow(new Error(reason))
    expect(warnings).toEqual([reason])
    expect(await turns.probe()).toEqual({
      name: 'turn model',
      state: 'missing',
      reason,
      mend: 'landline models verify',
    })
    writeTurnModel(path)
    await expect(judge()).rejects.toThrow(reason)
    expect((await turns.probe()).state).toBe('ready')
    expect(await judge()).toBeLessThan(0.2)
  })

  it('is given up after a second, and away when a probe hears nothing', async () => {
    const clock = new SimClock()
    const { dataDir, turns, judge } = setup({ clock, spawn: deafWorker })
    mkdirSync(join(dataDir, 'models/smart-turn'), { recursive: true })
    const late = expect(judge()).rejects.toThrow('no answer within 1 s')
    await clock.advance(1000)
    await late
    const probe = turns.probe()
    await clock.advance(10_000)
    expect(await probe).toMatchObject({ state: 'away', reason: 'no answer within 10 s' })
  })

  it('is not asked by more calls than it could answer in time', async () => {
    const clock = new SimClock()
    const { judge, warnings } = setup({ clock, spawn: deafWorker })
    const asked = Array.from({ length: 16 }, judge)
    await expect(judge()).rejects.toThrow('too many turns at once')
    const all = Promise.allSettled(asked)
    await clock.advance(1000)
    expect((await all).every(({ status }) => status === 'rejected')).toBe(true)
    expect(warnings).toEqual(['too many turns at once', 'no answer within 1 s'])
    // Nobody waits for those any more, but the thread has them before it.
    await expect(judge()).rejects.toThrow('too many turns at once')
  })

  it('rejects what it was asked when its thread dies, and the next turn begins another', async () => {
    const { path, workers, judge } = setup()
    writeTurnModel(path)
    await judge()
    const [first] = workers
    const dying = judge()
    first?.dispatchEvent(new Event('close'))
    await expect(dying).rejects.toThrow('the turn model died')
    first?.postMessage({ type: 'end' })
    expect(await judge()).toBeLessThan(0.2)
    expect(workers).toHaveLength(2)
  })
})
