import { describe, expect, it } from 'vitest'
import { type FakeCallOptions, placeCall } from '../../test/kit/fake-call.ts'
import type { Message } from './ports.ts'

const GREETING = "You've reached Joe. Please leave a message after the beep."
const MESSAGE = 'This is Alex. Please call me back.'
const lastOf = (messages: readonly Message[]): string => messages.at(-1)?.content ?? ''

async function greeted(o: FakeCallOptions = {}) {
  const call = await placeCall({
    brief: { firstMessage: 'Hi there.', ...o.brief },
    says: [{ at: 600, ms: 4000, text: GREETING }],
    ...o,
  })
  return call
}

describe('a voicemail', () => {
  it('is hung up on, and the call says so', async () => {
    const call = await greeted()
    const talk = await call.finish(20_000)
    expect(talk.ending).toBe('voicemail')
    expect(call.leg.hungUpAt).toBeLessThan(600 + 4000 + 400)
    expect(talk.transcript.at(-1)).toMatchObject({ role: 'human', text: GREETING })
    expect(call.engines.asked.every(({ signal }) => signal.aborted)).toBe(true)
  })

  it('is left a message after the beep, and not before', async () => {
    const call = await greeted({
      brief: { firstMessage: 'Hi there.', voicemail: { leaveMessage: MESSAGE } },
    })
    call.leg.beep(1000, 400, 6500)
    const talk = await call.finish(30_000)
    expect(talk.ending).toBe('voicemail')
    const spoken = call.sounds().filter(({ text }) => MESSAGE.includes(text))
    expect(spoken.map(({ text }) => text).join(' ')).toBe(MESSAGE)
    expect(spoken[0]?.at).toBeGreaterThan(6900)
    expect(spoken[0]?.at).toBeLessThan(6900 + 500)
    expect(spoken.every(({ whole }) => whole)).toBe(true)
    expect(talk.transcript.map(({ text }) => text)).toEqual(['Hi there.', GREETING, MESSAGE])
  })

  it('is left the message although it never beeps', async () => {
    const call = await greeted({
      brief: { firstMessage: 'Hi there.', voicemail: { leaveMessage: MESSAGE } },
    })
    const talk = await call.finish(30_000)
    expect(talk.ending).toBe('voicemail')
    expect(talk.transcript.at(-1)?.text).toBe(MESSAGE)
    expect(call.sounds().at(-1)?.at).toBeGreaterThan(4600 + 3900)
  })

  it('that talks on and on is left the message all the same, and within the longest duration', async () => {
    const call = await placeCall({
      brief: { firstMessage: null, voicemail: { leaveMessage: MESSAGE }, maxDurationSeconds: 240 },
      says: [
        { at: 600, ms: 4000, text: GREETING },
        { at: 5000, ms: 400_000, text: 'and so on' },
      ],
    })
    const talk = await call.finish(250_000)
    expect(['voicemail', 'max_duration']).toContain(talk.ending)
    expect(talk.transcript.some(({ text }) => text === MESSAGE)).toBe(true)
  })

  it('is talked to where that was asked for', async () => {
    const call = await greeted({
      brief: { firstMessage: 'Hi there.', voicemail: 'continue' },
      reply: () => ({ text: 'I call again.' }),
    })
    await call.run(9000)
    expect(call.talk).toBeNull()
    expect(call.sounds().at(-1)?.text).toBe('I call again.')
    const told = call.engines.asked.at(-1)?.messages.at(-2)?.content
    expect(told).toMatch(/voicemail/)
  })

  it('is not what a recogniser guesses: the call goes on, and a beep tells all the same', async () => {
    const guessed = await greeted({ logProbability: -0.9 })
    await guessed.run(10_000)
    expect(guessed.talk).toBeNull()
    expect(guessed.engines.asked.length).toBeGreaterThan(0)
    const beeping = await greeted({ logProbability: -0.9 })
    beeping.leg.beep(1000, 400, 5000)
    expect((await beeping.finish(20_000)).ending).toBe('voicemail')
  })

  it('is known by its beep when its words are not', async () => {
    const call = await placeCall({
      brief: { firstMessage: null },
      says: [{ at: 500, ms: 4000, text: 'This is Joe and nobody is at home today' }],
    })
    call.leg.beep(900, 400, 5000)
    expect((await call.finish(20_000)).ending).toBe('voicemail')
  })

  it('is not what a person is who speaks of messages later on, or offers to take one', async () => {
    const call = await greeted({
      says: [{ at: 900, ms: 2000, text: 'He is out. Can I take a message?' }],
    })
    await call.run(5000)
    for (const text of ['Sure.', 'At what number?', 'Okay.']) {
      call.leg.say(text, 600)
      await call.run(4000)
    }
    call.leg.say('I will leave a message on his desk.', 1600)
    await call.run(5000)
    expect(call.talk).toBeNull()
  })

  it('that the voice cannot speak to ends as any call does whose voice is away', async () => {
    const call = await greeted({
      brief: { firstMessage: null, voicemail: { leaveMessage: MESSAGE } },
      broken: { voice: true },
    })
    expect((await call.finish(30_000)).ending).toBe('engine_error')
  })
})

describe('a fax', () => {
  it.each([
    ['the answer tone', 2100, 2800],
    ['the calling tone', 1100, 500],
  ])('is hung up on at %s', async (_, hz, ms) => {
    const call = await placeCall({ brief: { firstMessage: 'Hi there.' } })
    call.leg.beep(hz, ms, 400)
    const talk = await call.finish(10_000)
    expect(talk.ending).toBe('agent_hangup')
    expect(call.leg.hungUpAt).toBeLessThan(400 + ms + 300)
  })

  it('is not what somebody is who has spoken', async () => {
    const call = await placeCall({ brief: { firstMessage: 'Hi there.' } })
    call.leg.say('Hello, who is it?', 1000, 900)
    call.leg.beep(1100, 500, 4000)
    await call.run(8000)
    expect(call.talk).toBeNull()
  })
})

describe('a phone menu', () => {
  const press = { tools: [{ name: 'press_digits', arguments: { digits: '2' } }] }

  it('is heard to its end, then a key is pressed and nothing is said', async () => {
    const call = await placeCall({
      brief: { firstMessage: null },
      says: [
        { at: 500, ms: 2000, text: 'For sales, press one.' },
        { at: 3700, ms: 2000, text: 'For support, press two.' },
      ],
      reply: (messages) =>
        messages.at(-1)?.role === 'tool' ? { tools: [{ name: 'wait', arguments: {} }] } : press,
    })
    await call.run(15_000)
    expect(call.leg.digits).toEqual(['2'])
    expect(call.sounds()).toEqual([])
    const pressedAt = call.events.find(({ event }) => event.type === 'tool')?.at ?? 0
    expect(pressedAt).toBeGreaterThanOrEqual(5700 + 1900)
    expect(pressedAt).toBeLessThan(5700 + 2300)
  })

  it('is told to the model for what it is', async () => {
    const call = await placeCall({
      brief: { firstMessage: null },
      says: [{ at: 500, ms: 2000, text: 'For sales, press one.' }],
      reply: () => press,
    })
    await call.run(6000)
    expect(
      call.engines.asked.at(-1)?.messages.some(({ content }) => /phone menu/.test(content)),
    ).toBe(true)
  })

  it('gets no filler while the model thinks', async () => {
    const call = await placeCall({
      brief: { firstMessage: null },
      says: [{ at: 500, ms: 2000, text: 'For sales, press one.' }],
      firstTokenMs: 9000,
      reply: () => press,
    })
    await call.run(12_000)
    expect(call.sounds()).toEqual([])
  })
})

describe('waiting', () => {
  it('in a queue lasts as long as the queue speaks, without a word', async () => {
    const call = await placeCall({
      brief: { firstMessage: 'Hi there.' },
      reply: () => ({ tools: [{ name: 'wait', arguments: { seconds: 120 } }] }),
    })
    for (let at = 2000; at < 200_000; at += 50_000)
      call.leg.say('Your call is important to us. Please stay on the line.', 3000, at)
    await call.run(210_000)
    expect(call.talk).toBeNull()
    expect(call.sounds().map(({ text }) => text)).toEqual(['Hi there.'])
  })

  it('ends: nobody waits for ever', async () => {
    const call = await placeCall({
      brief: { firstMessage: 'Hi there.' },
      reply: () => ({ tools: [{ name: 'wait', arguments: { seconds: 9e9 } }] }),
    })
    call.leg.say('Please hold.', 900, 2000)
    expect((await call.finish(400_000)).ending).toBe('silence')
  })

  it('for a person who asked for a moment is not broken after ten seconds', async () => {
    const call = await placeCall({
      brief: { firstMessage: 'Hi there.' },
      reply: (messages) => ({ text: lastOf(messages).startsWith('Hold') ? 'Sure.' : 'Hello Ann.' }),
    })
    call.leg.say('Hold on, I will get her.', 1500, 1500)
    call.leg.say('Hello, this is Ann.', 1200, 40_000)
    await call.run(45_000)
    expect(call.sounds().map(({ text }) => text)).toEqual(['Hi there.', 'Sure.', 'Hello Ann.'])
  })

  it('through music ends by the clock', async () => {
    const call = await placeCall({ brief: { firstMessage: 'Hi there.' } })
    call.leg.say('', 900_000, 1500)
    expect((await call.finish(700_000)).ending).toBe('silence')
  })
})

describe('keys that the human presses', () => {
  it('are a turn, told to the model and answered', async () => {
    const call = await placeCall({
      brief: { firstMessage: 'Press a key.' },
      reply: (messages) => ({ text: `You pressed ${lastOf(messages).replace(/\D/g, '')}.` }),
    })
    await call.run(2000)
    for (const key of '42') {
      call.leg.press(key)
      await call.run(300)
    }
    await call.run(5000)
    expect(call.sounds().at(-1)?.text).toBe('You pressed 42.')
    call.leg.humanHangsUp()
    const { transcript } = await call.finish()
    expect(transcript.map(({ text }) => text)).toContain('[pressed 42]')
  })

  it('stop the agent, and are bounded', async () => {
    const call = await placeCall({
      brief: {
        firstMessage:
          'Considering everything we recommend postponing arrangements indefinitely now.',
      },
    })
    for (let i = 0; i < 200; i++) call.leg.press('1')
    await call.run(2500)
    expect(call.sounds()[0]?.whole).toBe(false)
    expect(lastOf(call.engines.asked.at(-1)?.messages ?? [])).toBe(`[pressed ${'1'.repeat(32)}]`)
  })
})
