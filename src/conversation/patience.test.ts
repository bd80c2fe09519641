import { describe, expect, it } from 'vitest'
import { type FakeCallOptions, placeCall } from '../../test/kit/fake-call.ts'
import { lineText } from './stock-lines.ts'

const APOLOGY = lineText('apology')

/** A call whose first message has been heard, just as the human says something. */
async function setup(o: FakeCallOptions = {}) {
  const call = await placeCall({ brief: { firstMessage: 'Hi there.' }, ...o })
  await call.run(3000)
  const saidUntil = call.leg.time() + 800
  call.leg.say('What time?', 800)
  return { ...call, call, saidUntil }
}

describe('waiting for a reply', () => {
  it('is covered by a filler after 1.5 s and another after 5 s', async () => {
    const { call, saidUntil } = await setup({ firstTokenMs: 8000 })
    await call.run(12_000)
    const [, first, second, reply] = call.sounds()
    expect(first?.text).toBe('One moment, please.')
    expect(second?.text).toBe('Just a second.')
    expect(Math.abs((first?.at ?? 0) - saidUntil - 300 - 1500)).toBeLessThan(32)
    expect(Math.abs((second?.at ?? 0) - saidUntil - 300 - 5000)).toBeLessThan(32)
    expect(reply?.text).toBe('I heard What time?')
  })

  it('shows fillers in the transcript and not to the model', async () => {
    const { call } = await setup({ firstTokenMs: 3000 })
    await call.run(8000)
    call.leg.say('And where?', 800)
    await call.run(8000)
    const messages = call.engines.asked.at(-1)?.messages ?? []
    expect(messages.map(({ content }) => content)).not.toContain('One moment, please.')
    call.leg.humanHangsUp()
    const texts = (await call.finish()).transcript.map(({ text }) => text)
    expect(texts).toContain('One moment, please.')
  })

  it('ends with an apology and the call at the time limit', async () => {
    const { call, saidUntil } = await setup({ broken: { model: 'hangs' } })
    const talk = await call.finish(60_000)
    expect(talk.ending).toBe('engine_error')
    const last = call.sounds().at(-1)
    expect(last).toMatchObject({ text: APOLOGY, whole: true })
    expect(Math.abs((last?.at ?? 0) - saidUntil - 300 - 20_000)).toBeLessThan(32)
  })

  it('is covered by a filler also when the recogniser is slow', async () => {
    const { call, saidUntil } = await setup({ recogniseMs: 4000 })
    await call.run(9000)
    const [, first, reply] = call.sounds()
    expect(first?.text).toBe('One moment, please.')
    expect(Math.abs((first?.at ?? 0) - saidUntil - 700 - 1500)).toBeLessThan(32)
    expect(reply?.text).toBe('I heard What time?')
  })
})

describe('a failing engine', () => {
  it('is asked again when nothing was spoken yet', async () => {
    let asked = 0
    const { call } = await setup({
      reply: () => (asked++ === 0 ? { fails: 'at once' } : { text: 'At seven.' }),
    })
    await call.run(4000)
    expect(call.sounds().map(({ text }) => text)).toEqual(['Hi there.', 'At seven.'])
    expect(asked).toBe(2)
  })

  it('gets an apology and the end of the call when it fails again', async () => {
    const { call } = await setup({ broken: { model: true } })
    expect((await call.finish(30_000)).ending).toBe('engine_error')
    expect(call.engines.asked).toHaveLength(2)
    expect(call.sounds().map(({ text }) => text)).toEqual(['Hi there.', APOLOGY])
  })

  it('that breaks off after it spoke keeps what was heard and the call', async () => {
    const { call } = await setup({
      firstTokenMs: 400,
      reply: (messages) =>
        messages.at(-1)?.content === 'What time?'
          ? { text: 'At seven o clock. Or so', fails: 'after the text' }
          : { text: 'Yes.' },
      wordMs: 200,
    })
    await call.run(5000)
    call.leg.say('Are you sure?', 800)
    await call.run(4000)
    expect(call.sounds().map(({ text }) => text)).toEqual([
      'Hi there.',
      'At seven o clock.',
      'Yes.',
    ])
    expect(call.talk).toBeNull()
  })

  it('is no reason to end when it is the recogniser, once', async () => {
    const { call } = await setup({ broken: { recogniser: true } })
    await call.run(800 + 140)
    call.engines.broken.recogniser = false
    await call.run(4000)
    expect(call.sounds().at(-1)?.text).toBe('I heard What time?')
  })

  it('ends the call when it is the recogniser, twice in a row', async () => {
    const { call } = await setup({ broken: { recogniser: true } })
    expect((await call.finish(30_000)).ending).toBe('engine_error')
    expect(call.engines.recognised).toHaveLength(2)
    expect(call.sounds().at(-1)?.text).toBe(APOLOGY)
  })

  it('does not hang a call when it is a recogniser that never answers', async () => {
    const { call } = await setup({ broken: { recogniser: 'hangs' } })
    expect((await call.finish(60_000)).ending).toBe('engine_error')
  })

  it('does not hang a call when it is a voice that never answers', async () => {
    const { call } = await setup({ broken: { voice: 'hangs' } })
    expect((await call.finish(90_000)).ending).toBe('engine_error')
    expect(call.sounds()).toEqual([])
  })

  it('does not hang a call when the model stops in the middle of its text', async () => {
    const { call } = await setup({
      reply: () => ({ text: 'It is at seven. Or maybe', hangs: true }),
    })
    await call.run(30_000)
    expect(call.leg.queued).toBe(0)
    const talk = await call.finish()
    expect(talk.ending).toBe('silence')
    expect(talk.transcript.map(({ text }) => text)).toContain('It is at seven.')
  })

  it('hangs up without a word when the voice is away', async () => {
    const { call } = await setup({ broken: { voice: true } })
    const talk = await call.finish(30_000)
    expect(talk).toEqual({ ending: 'engine_error', transcript: [] })
  })

  it('ends the call when speech cannot be detected at all', async () => {
    const call = await placeCall({ broken: { detector: true } })
    expect((await call.finish(30_000)).ending).toBe('engine_error')
    expect(call.sounds().at(-1)?.text).toBe(APOLOGY)
  })

  it('that gives an empty reply twice makes the agent ask to say it again', async () => {
    const { call } = await setup({ reply: () => ({ text: ' ' }) })
    await call.run(4000)
    expect(call.sounds().at(-1)?.text).toBe(lineText('repeat'))
    call.leg.say('What time is it?', 800)
    expect((await call.finish(30_000)).ending).toBe('engine_error')
  })

  it('cannot talk for ever', async () => {
    const { call } = await setup({ reply: () => ({ text: 'and so on '.repeat(3000) }) })
    await call.run(120_000)
    const spoken = call.sounds().slice(1)
    expect(spoken.reduce((sum, { text }) => sum + text.length, 0)).toBeLessThan(2000)
  })
})
