import { describe, expect, it } from 'vitest'
import { SimClock } from '../../../test/kit/sim-clock.ts'
import { silentLog } from '../../core/log.ts'
import { createVoiceLine, type Rank } from './voice-line.ts'

/** Answers each phrase with a clip as long as its text, and tells what it was begun with. */
const WORKS = `self.onmessage = ({ data: { type, id, text } }) => {
  if (type === 'end') process.exit(0)
  if (type === 'speak')
    self.postMessage({ id, clip: new Int16Array(new SharedArrayBuffer(text.length * 2)) })
}`
const SILENT = `self.onmessage = ({ data: { type } }) => { if (type === 'end') process.exit(0) }`
const DIES = `self.onmessage = ({ data: { type } }) => {
  if (type === 'speak') throw new Error('out of memory')
}`
const REFUSES = `self.onmessage = ({ data: { type, id } }) => {
  if (type === 'end') process.exit(0)
  if (type === 'speak') self.postMessage({ id, failed: 'no such file' })
}`

/** A worker made of `source`; `plan` says which source the nth worker gets, the last one for all others. */
function setup(...plan: [string, ...string[]]) {
  let begun = 0
  const clock = new SimClock()
  const line = createVoiceLine({
    clock,
    log: silentLog,
    name: 'Kokoro',
    begin: () => ({ type: 'begin', dataDir: '/d', threads: 1, espeak: null }),
    spawn: () =>
      new Worker(
        URL.createObjectURL(new Blob([plan[Math.min(begun++, plan.length - 1)] as string])),
      ),
  })
  const source = { engine: 'piper', model: '/m.onnx', speaker: null, espeakVoice: null } as const
  const speak = (text: string, rank: Rank = 'first', signal = new AbortController().signal) =>
    line.speak({ source, text, rateHz: 8000 }, rank, signal)
  return { clock, line, speak, begun: () => begun, [Symbol.asyncDispose]: () => line.stop() }
}

describe('the line before the voices', () => {
  it('says what is wanted most first, and else first come, first served', async () => {
    await using kit = setup(WORKS)
    const order: string[] = []
    const wish = (text: string, rank: Rank) => kit.speak(text, rank).then(() => order.push(text))
    await Promise.all([
      wish('begun', 'ahead'),
      wish('stock', 'ahead'),
      wish('second sentence', 'later'),
      wish('third sentence', 'later'),
      wish('first sound', 'first'),
    ])
    expect(order).toEqual(['begun', 'first sound', 'second sentence', 'third sentence', 'stock'])
    expect(kit.begun()).toBe(1)
  })

  it('lets what is made ahead pass later phrases once it has waited for long', async () => {
    await using kit = setup(SILENT, WORKS)
    const order: string[] = []
    const wish = (text: string, rank: Rank) =>
      kit.speak(text, rank).then(
        () => order.push(text),
        () => order.push(`${text} lost`),
      )
    const all = [wish('hangs', 'first'), wish('stock', 'ahead')]
    await kit.clock.advance(29_000)
    all.push(wish('later', 'later'))
    await kit.clock.advance(1_000)
    await Promise.all(all)
    expect(order).toEqual(['hangs lost', 'stock', 'later'])
  })

  it('fails the phrase its thread died of, and a new thread says the next', async () => {
    await using kit = setup(DIES, WORKS)
    const [first, second] = await Promise.allSettled([kit.speak('a'), kit.speak('bc')])
    expect(first).toMatchObject({
      reason: { message: expect.stringMatching(/^Kokoro could not speak: /) },
    })
    expect(second).toMatchObject({ value: { length: 2 } })
    expect(kit.line.failure).toBeUndefined()
  })

  it('gives up a thread that hangs, and a new one says the next', async () => {
    await using kit = setup(SILENT, WORKS)
    const phrases = Promise.allSettled([kit.speak('a'), kit.speak('bc')])
    await kit.clock.advance(30_000)
    expect(await phrases).toMatchObject([
      { reason: { message: 'Kokoro could not speak: nothing came for 30 s' } },
      { value: { length: 2 } },
    ])
    expect(kit.begun()).toBe(2)
  })

  it('rejects at once on abort, spoken or in line', async () => {
    await using kit = setup(SILENT)
    const stop = new AbortController()
    const phrases = [kit.speak('a', 'first', stop.signal), kit.speak('b', 'later', stop.signal)]
    stop.abort()
    for (const phrase of phrases) await expect(phrase).rejects.toMatchObject({ name: 'AbortError' })
    await expect(kit.speak('c', 'first', stop.signal)).rejects.toMatchObject({ name: 'AbortError' })
  })

  it('tells why the last phrase failed', async () => {
    await using kit = setup(REFUSES)
    await expect(kit.speak('a')).rejects.toThrow('Kokoro could not speak: no such file')
    expect(kit.line.failure).toBe('Kokoro could not speak: no such file')
  })

  it('rejects what waits when it is stopped', async () => {
    const kit = setup(SILENT)
    const phrases = Promise.allSettled([kit.speak('a'), kit.speak('b')])
    await kit.line.stop()
    expect(await phrases).toMatchObject([
      { reason: { message: 'Kokoro could not speak: it was stopped' } },
      { reason: { message: 'Kokoro could not speak: it was stopped' } },
    ])
  })
})
