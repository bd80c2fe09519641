import { describe, expect, it } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import { silentLog } from '../../core/log.ts'
import { rms, toMs } from '../../core/pcm.ts'
import { createFliteVoice } from './flite-voice.ts'
import { FLITE_VOICES, type FliteVoiceName } from './synthesis.ts'

function setup(name: FliteVoiceName = 'kal') {
  const voice = createFliteVoice({ clock: systemClock, log: silentLog, voice: name })
  const speak = (text: string, o: { rateHz?: number; signal?: AbortSignal } = {}) =>
    voice.speak({
      text,
      rateHz: o.rateHz ?? 8000,
      signal: o.signal ?? new AbortController().signal,
    })
  return { voice, speak, [Symbol.asyncDispose]: () => voice.stop() }
}

describe('the Flite voice', () => {
  it.each(FLITE_VOICES)('speaks with %s, into shared memory', async (name) => {
    await using kit = setup(name)
    const [clip, ...others] = await Array.fromAsync(kit.speak('What size would you like?'))
    expect(others).toEqual([])
    expect(clip?.buffer).toBeInstanceOf(SharedArrayBuffer)
    const ms = toMs(clip?.length ?? 0)
    expect(ms).toBeGreaterThan(700)
    expect(ms).toBeLessThan(3000)
    expect(rms(clip ?? new Int16Array(0))).toBeGreaterThan(500)
  })

  it('gives the same sound at any rate, as long in time', async () => {
    await using kit = setup('slt')
    const [low] = await Array.fromAsync(kit.speak('Pickup or delivery?', { rateHz: 8000 }))
    const [high] = await Array.fromAsync(kit.speak('Pickup or delivery?', { rateHz: 24_000 }))
    expect(Math.abs((high?.length ?? 0) - 3 * (low?.length ?? 0))).toBeLessThanOrEqual(3)
  })

  it('gives a clip a phrase', async () => {
    await using kit = setup()
    const clips = await Array.fromAsync(kit.speak('I would like two of them, and a salad. Thanks.'))
    expect(clips).toHaveLength(3)
  })

  it('has next to no silence around a clip', async () => {
    await using kit = setup('slt')
    const [clip = new Int16Array(0)] = await Array.fromAsync(kit.speak('Okay now.'))
    const loud = [...clip].map((sample) => Math.abs(sample) > 400)
    expect(toMs(loud.indexOf(true))).toBeLessThan(60)
    expect(toMs(clip.length - loud.lastIndexOf(true))).toBeLessThan(200)
  })

  it.each(['', '😀', '\u0000\u0001', '...', '你好', '-', "'"])(
    'gives no clip for %j',
    async (text) => {
      await using kit = setup()
      expect(await Array.fromAsync(kit.speak(text))).toEqual([])
      expect(await kit.voice.probe()).toMatchObject({ state: 'ready' })
    },
  )

  it('takes text that looks like an option, a path or SSML as text', async () => {
    await using kit = setup()
    for (const text of ['-lv', '--help', '/etc/passwd', '<speak>Hi</speak>', '%s%n', '"; ls'])
      expect((await Array.fromAsync(kit.speak(text))).length).toBeGreaterThan(0)
  })

  it('stops between phrases on abort', async () => {
    await using kit = setup()
    const stop = new AbortController()
    let clips = 0
    const listen = async (): Promise<void> => {
      for await (const _ of kit.speak('One. Two. Three. Four.', { signal: stop.signal })) {
        clips++
        stop.abort('canceled')
      }
    }
    await expect(listen()).rejects.toMatchObject({ name: 'AbortError' })
    expect(clips).toBe(1)
  })

  it('throws AbortError when asked under an aborted signal', async () => {
    await using kit = setup()
    const speech = Array.fromAsync(kit.speak('Hello.', { signal: AbortSignal.abort() }))
    await expect(speech).rejects.toMatchObject({ name: 'AbortError' })
  })

  it('speaks for several callers at once, each its own', async () => {
    await using kit = setup()
    const texts = ['Yes.', 'A large pepperoni pizza for pickup, please.']
    const [short, long] = await Promise.all(texts.map((text) => Array.fromAsync(kit.speak(text))))
    expect((short?.[0]?.length ?? 0) * 2).toBeLessThan(long?.[0]?.length ?? 0)
  })

  it('cuts text without end, and lives', async () => {
    await using kit = setup()
    const stop = new AbortController()
    for await (const clip of kit.speak('word '.repeat(100_000), { signal: stop.signal })) {
      expect(toMs(clip.length)).toBeLessThan(60_000)
      break
    }
  })

  it('starts and stops without a word, twice', async () => {
    const { voice } = setup()
    await voice.start()
    await voice.stop()
    await voice.stop()
    expect(await voice.probe()).toEqual({
      name: 'text-to-speech',
      state: 'ready',
      reason: 'Flite, voice kal, built in',
    })
  })
})
