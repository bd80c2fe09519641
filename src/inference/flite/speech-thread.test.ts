import { describe, expect, it } from 'vitest'
import { SimClock } from '../../../test/kit/sim-clock.ts'
import { silentLog } from '../../core/log.ts'
import { createSpeechThread } from './speech-thread.ts'

/** A worker made of `source`; `plan` says which source the nth worker gets, the last one for all others. */
function setup(...plan: [string, ...string[]]) {
  let begun = 0
  const clock = new SimClock()
  const thread = createSpeechThread({
    clock,
    log: silentLog,
    spawn() {
      const source = plan[Math.min(begun++, plan.length - 1)] as string
      if (source === NONE) throw new Error('no more threads')
      return new Worker(URL.createObjectURL(new Blob([source])))
    },
  })
  const speak = (text: string, signal = new AbortController().signal) =>
    thread.synthesise({ text, voice: 'slt', rateHz: 8000 }, signal)
  return { clock, thread, speak, begun: () => begun, [Symbol.asyncDispose]: () => thread.stop() }
}

/** Answers each phrase with a clip as long as its text. */
const WORKS = `self.onmessage = ({ data: { id, text } }) =>
  self.postMessage({ id, clip: new Int16Array(new SharedArrayBuffer(text.length * 2)) })`
/** No worker can be made. */
const NONE = ''
const SILENT = 'self.onmessage = () => {}'
const DIES = 'self.onmessage = () => { throw new Error("out of memory") }'
const REFUSES = `self.onmessage = ({ data: { id } }) =>
  self.postMessage({ id, failed: 'unreachable' })`

describe('the speech thread', () => {
  it('begins with the first phrase and answers each with its own sound', async () => {
    await using kit = setup(WORKS)
    expect(kit.begun()).toBe(0)
    const clips = await Promise.all([kit.speak('a'), kit.speak('bcd'), kit.speak('ef')])
    expect(clips.map((clip) => clip?.length)).toEqual([1, 3, 2])
    expect(kit.begun()).toBe(1)
  })

  it('fails the phrase it died of, and a new one says the next', async () => {
    await using kit = setup(DIES, WORKS)
    const [first, second] = await Promise.allSettled([kit.speak('a'), kit.speak('bc')])
    expect(first).toMatchObject({
      reason: { message: expect.stringContaining('Flite could not speak: ') },
    })
    expect(second).toMatchObject({ value: { length: 2 } })
    expect(kit.begun()).toBe(2)
    expect(kit.thread.failure).toBeUndefined()
  })

  it('ends a worker that hangs in a phrase, and a new one says the next', async () => {
    await using kit = setup(SILENT, WORKS)
    const phrases = Promise.allSettled([kit.speak('a'), kit.speak('bc')])
    await kit.clock.advance(8000)
    expect(await phrases).toMatchObject([
      { reason: { message: 'Flite could not speak: nothing came for 8 s' } },
      { value: { length: 2 } },
    ])
    expect(kit.begun()).toBe(2)
    await kit.clock.advance(60_000)
    expect(kit.thread.failure).toBeUndefined()
  })

  it('ends a worker that hangs in a phrase that was aborted', async () => {
    await using kit = setup(SILENT, WORKS)
    const stop = new AbortController()
    const aborted = expect(kit.speak('a', stop.signal)).rejects.toThrow('aborted')
    stop.abort('canceled')
    await aborted
    const next = kit.speak('bc')
    await kit.clock.advance(8000)
    expect((await next)?.length).toBe(2)
  })

  it('fails what it cannot have a thread for, and tries again with the next phrase', async () => {
    await using kit = setup(NONE, NONE, WORKS)
    await expect(kit.speak('a')).rejects.toThrow('Flite could not speak: no more threads')
    const both = await Promise.allSettled([kit.speak('b'), kit.speak('cd')])
    expect(both).toMatchObject([{ status: 'rejected' }, { value: { length: 2 } }])
  })

  it('tells why a phrase failed until the next one succeeds', async () => {
    await using kit = setup(REFUSES)
    await expect(kit.speak('a')).rejects.toThrow('Flite could not speak: unreachable')
    expect(kit.thread.failure).toBe('Flite could not speak: unreachable')
  })

  it('rejects at once on abort, spoken or in line', async () => {
    await using kit = setup(SILENT)
    const stop = new AbortController()
    const phrases = [kit.speak('a', stop.signal), kit.speak('b', stop.signal)]
    stop.abort('canceled')
    const names = (await Promise.allSettled(phrases)).map((result) =>
      result.status === 'rejected' ? result.reason.name : 'spoken',
    )
    expect(names).toEqual(['AbortError', 'AbortError'])
    await expect(kit.speak('c', stop.signal)).rejects.toMatchObject({ name: 'AbortError' })
  })

  it('rejects what waits when it is stopped, and begins again afterwards', async () => {
    await using kit = setup(SILENT, WORKS)
    const phrase = kit.speak('a')
    const rejected = expect(phrase).rejects.toThrow('it was stopped')
    await kit.thread.stop()
    await kit.thread.stop()
    await rejected
    expect((await kit.speak('ab'))?.length).toBe(2)
  })
})
