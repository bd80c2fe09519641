import { describe, expect, it } from 'vitest'
import { type FakeCallOptions, placeCall } from '../../test/kit/fake-call.ts'
import { sleep } from '../core/clock.ts'
import { isBackchannel, isInterruption } from './backchannel.ts'

const LONG =
  'Considering everything we recommend postponing transportation arrangements indefinitely.'

/** A call in which the agent has been speaking for a second and a half. */
async function speaking(o: FakeCallOptions = {}) {
  const call = await placeCall({
    brief: { firstMessage: 'Hi.' },
    reply: (messages) => ({
      text: messages.at(-1)?.content === 'What is it?' ? LONG : 'I see.',
    }),
    ...o,
  })
  await call.run(3000)
  call.leg.say('What is it?', 1000)
  await call.run(3000)
  return { call, at: call.leg.time() }
}

/** From now on a text takes `ms` longer. */
function slowDown(call: Awaited<ReturnType<typeof placeCall>>, ms: number): void {
  const { recogniser } = call.engines
  const { recognise } = recogniser
  recogniser.recognise = async (o) => {
    await sleep(call.clock, ms, o.signal)
    return recognise(o)
  }
}

const finalTexts = (call: Awaited<ReturnType<typeof placeCall>>): string[] =>
  call.events.flatMap(({ event }) =>
    event.type === 'transcript' && event.final ? [`${event.role}: ${event.text}`] : [],
  )

describe('a sign of listening', () => {
  it.each([
    ['Mhm.', 250],
    ['Yeah.', 400],
    ['Okay, right.', 600],
    ['Yeah yeah, okay, I see.', 900],
    ['', 200],
    ['', 700],
  ])(
    '%j of %i ms pauses the agent, who goes on from the same sample within 300 ms',
    async (text, ms) => {
      const { call } = await speaking()
      call.leg.say(text, ms)
      await call.run(125)
      expect(call.leg.ears.paused).toBe(true)
      await call.run(ms + 300 - 125)
      expect(call.leg.ears.paused).toBe(false)
      await call.run(10_000)
      const [, spoken] = call.sounds()
      expect(spoken).toMatchObject({ text: LONG, whole: true })
      // What was heard late is no more than the pause.
      expect((spoken?.until ?? 0) - (spoken?.at ?? 0) - (spoken?.ms ?? 0)).toBeLessThanOrEqual(
        ms + 300,
      )
    },
  )

  it('is in the transcript, cuts nothing from it, and is not answered', async () => {
    const { call } = await speaking()
    call.leg.say('Mhm.', 300)
    await call.run(10_000)
    expect(finalTexts(call).slice(1).sort()).toEqual([
      `agent: ${LONG}`,
      'human: Mhm.',
      'human: What is it?',
    ])
    expect(call.engines.asked).toHaveLength(1)
  })

  it('may come again and again', async () => {
    const { call } = await speaking()
    for (let i = 0; i < 3; i++) {
      call.leg.say('Mhm.', 300)
      await call.run(1200)
      expect(call.leg.ears.paused).toBe(false)
    }
    await call.run(10_000)
    expect(call.sounds().at(-1)).toMatchObject({ text: LONG, whole: true })
  })

  it('is taken for one by its length when the recogniser is slow', async () => {
    const { call } = await speaking()
    slowDown(call, 900)
    call.leg.say('Mhm.', 300)
    await call.run(600)
    expect(call.leg.ears.paused).toBe(false)
    await call.run(10_000)
    expect(call.sounds().at(-1)).toMatchObject({ text: LONG, whole: true })
    expect(finalTexts(call)).toContain('human: Mhm.')
  })

  it('lets the agent go on after a row of them, however slowly they are said', async () => {
    const { call } = await speaking()
    call.leg.say('Yeah yeah, okay, I see.', 1900)
    await call.run(1900 + 300)
    expect(call.leg.ears.paused).toBe(false)
    await call.run(10_000)
    expect(call.sounds()[1]).toMatchObject({ text: LONG, whole: true })
  })

  it('does not go on for ever', async () => {
    const { call } = await speaking()
    call.leg.say('Mhm. Mhm. Mhm. Mhm. Mhm. Mhm.', 4000)
    await call.run(2700)
    expect(call.leg.queued).toBe(0)
  })

  it('does not hold up a reply that waits behind a filler', async () => {
    const { call } = await speaking({ firstTokenMs: 2500 })
    // "One moment, please." sounds.
    call.leg.say('Okay.', 300)
    await call.run(12_000)
    expect(call.sounds().map(({ text, whole }) => [text, whole])).toEqual([
      ['Hi.', true],
      ['One moment, please.', true],
      [LONG, true],
    ])
  })
})

describe('an interruption', () => {
  it.each([
    ['No, I meant tomorrow.', 1400],
    ['Stop!', 400],
    ['What?', 300],
    ['Where do you call from?', 550],
  ])('%j of %i ms leaves the agent silent, and is answered', async (text, ms) => {
    const { call } = await speaking()
    call.leg.say(text, ms)
    await call.run(ms + 1500)
    expect(
      call
        .sounds()
        .map(({ whole }) => whole)
        .slice(0, 2),
    ).toEqual([true, false])
    expect(call.engines.asked.at(-1)?.messages.at(-1)?.content).toBe(text)
    await call.run(3000)
    expect(call.sounds().at(-1)).toMatchObject({ text: 'I see.', whole: true })
  })

  it('is told to the model together with what of its words was heard, and no more', async () => {
    const { call } = await speaking()
    call.leg.say('Where do you call from?', 900)
    await call.run(3000)
    const { messages } = call.engines.asked.at(-1) ?? { messages: [] }
    const spoken = messages.at(-2)?.content ?? ''
    expect(spoken).toMatch(/ \[cut off\]$/)
    const heard = spoken.replace(' [cut off]', '')
    expect(LONG.startsWith(heard)).toBe(true)
    expect(heard.length).toBeLessThan(LONG.length)
    expect(finalTexts(call)).toContain(`agent: ${heard}`)
  })

  it('whose text comes late stops the agent who had gone on', async () => {
    const { call } = await speaking()
    slowDown(call, 640)
    call.leg.say('Stop!', 300)
    await call.run(700)
    expect(call.leg.ears.paused).toBe(false)
    await call.run(700)
    expect(call.sounds()[1]).toMatchObject({ text: LONG, whole: false })
    await call.run(2000)
    expect(call.sounds().at(-1)?.text).toBe('I see.')
  })

  it('of which no text comes ends the pause all the same', async () => {
    const { call } = await speaking()
    slowDown(call, 9000)
    call.leg.say('Well, that is not what I thought of', 1000)
    await call.run(1000 + 1700)
    expect(call.leg.queued).toBe(0)
    await call.run(9000)
    expect(call.engines.asked.at(-1)?.messages.at(-1)?.content).toMatch(/^Well, that/)
  })

  it('that began like a sign of listening is one as soon as its text is another', async () => {
    const { call } = await speaking()
    call.leg.say('Okay okay but this is not what I asked for', 4000)
    await call.run(1500)
    expect(call.leg.queued).toBe(1)
    await call.run(600)
    expect(call.leg.queued).toBe(0)
  })

  it('is not recognised while it goes on unless something of ours waits for it', async () => {
    const { call } = await speaking()
    await call.run(10_000)
    const asked = call.engines.recognised.length
    call.leg.say('I would like to know something else today', 4000)
    await call.run(3900)
    expect(call.engines.recognised).toHaveLength(asked)
  })

  it('keeps the agent from hanging up over it', async () => {
    const { call } = await speaking({
      reply: (messages) =>
        messages.at(-1)?.content === 'What is it?'
          ? {
              text: 'Nothing more from me today then.',
              tools: [{ name: 'end_call', arguments: {} }],
            }
          : { text: 'Yes?' },
      wordMs: 350,
    })
    call.leg.say('Wait, one more thing.', 1100)
    await call.run(4000)
    expect(call.talk).toBeNull()
    expect(call.sounds().at(-1)).toMatchObject({ text: 'Yes?' })
  })
})

describe('words', () => {
  it.each(['Mhm.', 'uh-huh', 'Yeah, yeah.', 'Okay, I see.', 'Right.', 'Genau.', "That's right."])(
    '%j is a sign of listening',
    (text) => {
      expect(isBackchannel(text)).toBe(true)
      expect(isInterruption(text)).toBe(false)
    },
  )

  it.each(['Wait.', 'No', 'hello?', 'Excuse me', 'Okay, but not today', 'Hang on'])(
    '%j is none',
    (text) => {
      expect(isBackchannel(text)).toBe(false)
      expect(isInterruption(text)).toBe(true)
    },
  )

  it('more of them than six are speech', () => {
    expect(isBackchannel('yeah '.repeat(7))).toBe(false)
  })
})
