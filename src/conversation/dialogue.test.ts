import { describe, expect, it } from 'vitest'
import { type FakeCallOptions, placeCall } from '../../test/kit/fake-call.ts'
import type { TalkEvent } from '../calls/ports.ts'
import type { Message } from './ports.ts'

/** A call whose first message has been heard: the human has the word. */
async function setup(o: FakeCallOptions = {}) {
  const call = await placeCall({ brief: { firstMessage: 'Hi there.' }, ...o })
  await call.run(3000)
  return call
}

const lastOf = (messages: readonly Message[]): string => messages.at(-1)?.content ?? ''
const isTiming = (event: TalkEvent) => event.type === 'timing'

describe('a turn', () => {
  it('is answered the moment the prepared sound is ready, when that is after the commit silence', async () => {
    const call = await setup({ reply: () => ({ text: 'Seven is fine.' }) })
    call.leg.say('What time?', 1000)
    await call.run(5000)
    const timing = call.events.map(({ event }) => event).find(isTiming)?.timing
    const end = timing?.speechEnd ?? 0
    // Detection 104 ms to the poll after 96 ms, then 60 + 120 + 80.
    expect(timing).toEqual({
      turn: 2,
      speechEnd: end,
      finalText: (timing?.firstToken ?? 0) - 120,
      firstToken: (timing?.firstSound ?? 0) - 80,
      firstSound: timing?.onWire,
      onWire: timing?.onWire,
    })
    expect((timing?.onWire ?? 0) - end).toBeLessThanOrEqual(96 + 20 + 260)
  })

  it('is answered exactly at the commit silence when the sound was ready before', async () => {
    const call = await setup({
      recogniseMs: 20,
      firstTokenMs: 30,
      firstClipMs: 40,
      reply: () => ({ text: 'Seven is fine.' }),
    })
    call.leg.say('What time?', 1000)
    await call.run(5000)
    const timing = call.events.map(({ event }) => event).find(isTiming)?.timing
    expect((timing?.onWire ?? 0) - (timing?.speechEnd ?? 0)).toBe(300)
    expect((timing?.firstSound ?? 0) - (timing?.speechEnd ?? 0)).toBeLessThan(300)
  })

  it.each([
    ['What time?', 300],
    ['make it two', 1200],
    ['the large pepperoni pizza', 850],
    ['I would like a pizza and', 1200],
  ])('%j is committed after %i ms of silence', async (text, silence) => {
    const call = await setup({ recogniseMs: 10, firstTokenMs: 10, firstClipMs: 10 })
    call.leg.say(text, 1600)
    await call.run(5000)
    const timing = call.events.map(({ event }) => event).find(isTiming)?.timing
    expect((timing?.onWire ?? 0) - (timing?.speechEnd ?? 0)).toBe(silence)
  })

  it('that goes on after a pause is one turn from its first start, and what was prepared is thrown away', async () => {
    const call = await setup()
    call.leg.say('I would like a pizza and', 1600)
    call.leg.say('a salad please.', 1000, call.leg.time() + 2200)
    await call.run(9000)
    expect(call.engines.asked.map(({ messages }) => lastOf(messages))).toEqual([
      'I would like a pizza and',
      'I would like a pizza and a salad please.',
    ])
    expect(call.engines.asked[0]?.signal.aborted).toBe(true)
    expect(call.sounds().map(({ text }) => text)).toEqual([
      'Hi there.',
      'I heard I would like a pizza and a salad please.',
    ])
    expect(
      call.events.filter(({ event }) => 'role' in event && event.role === 'human'),
    ).toHaveLength(1)
  })

  it('is asked of the model before it is committed, and takes effect only then', async () => {
    const call = await setup({
      recogniseMs: 10,
      firstTokenMs: 10,
      firstClipMs: 10,
      reply: () => ({ text: 'Bye.', tools: [{ name: 'end_call', arguments: {} }] }),
    })
    call.leg.say('That is all for today and', 1600)
    await call.run(1900)
    expect(call.engines.asked).toHaveLength(1)
    await call.run(200)
    expect(call.events.filter(({ event }) => event.type === 'tool')).toHaveLength(0)
    expect(call.leg.played).toHaveLength(1)
    await call.run(1000)
    expect(call.events.filter(({ event }) => event.type === 'tool')).toHaveLength(1)
  })

  it('without a word is none', async () => {
    const call = await setup()
    call.leg.say('', 400)
    await call.run(4000)
    expect(call.engines.recognised).toHaveLength(1)
    expect(call.engines.asked).toHaveLength(0)
    expect(call.events.filter(({ event }) => 'role' in event && event.role === 'human')).toEqual([])
  })

  it('that begins before the reply sounds is the same turn, answered as a whole', async () => {
    const call = await setup({ firstTokenMs: 1000 })
    call.leg.say('One pizza.', 800)
    call.leg.say('And a salad please.', 800, call.leg.time() + 1500)
    await call.run(7000)
    const replies = call.sounds().filter(({ text }) => text.startsWith('I heard'))
    expect(replies.map(({ text }) => text)).toEqual(['I heard One pizza.'])
    expect(call.sounds().at(-1)?.text).toBe('And a salad please.')
    const said = call.events.flatMap(({ event }) =>
      event.type === 'transcript' && event.role === 'human' ? [[event.turn, event.text]] : [],
    )
    expect(said).toEqual([
      [1, 'One pizza.'],
      [1, 'One pizza. And a salad please.'],
    ])
  })

  it('keeps its prepared reply through a noise that comes before it sounds', async () => {
    const call = await setup({ firstTokenMs: 1000 })
    call.leg.say('One pizza please.', 1000)
    call.leg.say('', 150, call.leg.time() + 1600)
    await call.run(7000)
    expect(call.sounds().map(({ text }) => text)).toEqual([
      'Hi there.',
      'I heard One pizza please.',
    ])
  })
})

describe('barge-in', () => {
  const long = {
    text: 'We have a lot of things to say about this. There is a second sentence. And a third.',
  }

  it('is silent within an eighth of a second, cuts the transcript at the word, and listens', async () => {
    const call = await setup({ reply: () => long })
    call.leg.say('What is it?', 1000)
    await call.run(3000)
    const at = call.leg.time()
    call.leg.say('Stop, please stop.', 1500)
    await call.run(1500)
    expect(call.leg.queued).toBe(0)
    const cut = call.sounds().at(-1)
    expect((cut?.at ?? 0) + (cut?.ms ?? 0) - at).toBeLessThanOrEqual(125)
    const turn = call.events
      .map(({ event }) => event)
      .findLast((event) => event.type === 'transcript')
    expect(turn).toMatchObject({ role: 'agent', final: true })
    expect(long.text.startsWith(turn?.text ?? 'x')).toBe(true)
    await call.run(5000)
    const messages = call.engines.asked.at(-1)?.messages ?? []
    expect(lastOf(messages)).toBe('Stop, please stop.')
    expect(messages.at(-2)?.content).toMatch(/ \[cut off\]$/)
  })

  it('aborts the model and the voice', async () => {
    const call = await setup({ reply: () => ({ ...long, hangs: true }) })
    call.leg.say('What is it?', 1000)
    await call.run(3000)
    expect(call.engines.asked[0]?.signal.aborted).toBe(false)
    call.leg.say('Stop, please stop.', 800)
    await call.run(1000)
    expect(call.engines.asked[0]?.signal.aborted).toBe(true)
  })

  it('is not what a short sound is: it is written down, but does not stop the agent nor get a reply', async () => {
    const call = await setup({ reply: () => long })
    call.leg.say('What is it?', 1000)
    await call.run(3000)
    call.leg.say('Mhm.', 150)
    await call.run(8000)
    expect(call.engines.asked).toHaveLength(1)
    expect(call.sounds().every(({ whole }) => whole)).toBe(true)
    expect(call.events.some(({ event }) => 'text' in event && event.text === 'Mhm.')).toBe(true)
  })

  it('by a long noise without a word makes the agent go on, and says so to the model', async () => {
    const call = await setup({
      reply: (messages) => (lastOf(messages).startsWith('(') ? { text: 'As I said.' } : long),
    })
    call.leg.say('What is it?', 1000)
    await call.run(3000)
    call.leg.say('', 2000)
    await call.run(5000)
    expect(lastOf(call.engines.asked.at(-1)?.messages ?? [])).toMatch(
      /^\(A noise cut you off[^)]*\)$/,
    )
    expect(call.sounds().at(-1)?.text).toBe('As I said.')
  })
})

describe('the first message', () => {
  it('is synthesised while it rings and spoken at the answer', async () => {
    const call = await placeCall({ firstClipMs: 2000 })
    await call.run(100)
    expect(call.events[0]).toMatchObject({ at: 0, event: { role: 'agent', final: false } })
    await call.run(4000)
    expect(call.sounds()[0]?.at).toBe(0)
  })

  it('is not stopped by a "Hello?" at the answer, which is in the history of the next reply', async () => {
    const call = await placeCall({ says: [{ at: 300, ms: 700, text: 'Hello?' }] })
    await call.run(4000)
    expect(call.sounds()).toEqual([
      {
        at: 0,
        until: 3180,
        ms: 3180,
        text: 'Hi, I would like to place an order for pickup please.',
        whole: true,
      },
    ])
    expect(call.engines.asked).toHaveLength(0)
    call.leg.say('What would you like?', 1200)
    await call.run(4000)
    expect(call.engines.asked[0]?.messages.map(({ content }) => content).slice(-2)).toEqual([
      'Hello?',
      'What would you like?',
    ])
  })

  it('is stopped by somebody who goes on speaking for longer than a second', async () => {
    const call = await placeCall({
      says: [{ at: 300, ms: 2500, text: 'Wrong number, nobody lives here any more.' }],
    })
    await call.run(6000)
    const first = call.sounds()[0]
    expect(first?.whole).toBe(false)
    expect(first?.ms).toBeGreaterThan(1200)
    expect(first?.ms).toBeLessThan(1400)
  })

  it('answers a greeting that came before it could sound', async () => {
    const call = await placeCall({
      firstClipMs: 3000,
      ringMs: 0,
      says: [{ at: 200, ms: 1800, text: "Joe's Pizza, how can I help you?" }],
    })
    await call.run(9000)
    expect(call.engines.asked).toHaveLength(0)
    expect(call.sounds().map(({ text }) => text)).toEqual([
      'Hi, I would like to place an order for pickup please.',
    ])
  })
})

describe('without a first message', () => {
  const opening = (messages: readonly Message[]) =>
    lastOf(messages).startsWith('(') ? { text: 'Good evening.' } : { text: 'A pizza please.' }

  it('the human speaks first', async () => {
    const call = await placeCall({
      brief: { firstMessage: null },
      says: [{ at: 800, ms: 1500, text: "Joe's Pizza, how can I help you?" }],
      reply: opening,
    })
    await call.run(6000)
    expect(call.sounds().map(({ text }) => text)).toEqual(['A pizza please.'])
  })

  it('the agent opens by its instructions after 2 s', async () => {
    const call = await placeCall({ brief: { firstMessage: null }, reply: opening })
    await call.run(4000)
    expect(call.sounds()).toMatchObject([{ at: 2000, text: 'Good evening.' }])
  })

  it('a noise does not keep the agent from opening', async () => {
    const call = await placeCall({
      brief: { firstMessage: null },
      says: [{ at: 1900, ms: 300, text: '' }],
      reply: opening,
    })
    await call.run(6000)
    expect(call.sounds()).toMatchObject([{ text: 'Good evening.' }])
  })
})

describe('the conversation as told', () => {
  it('warms the model with the system prompt that every request then begins with', async () => {
    const call = await setup()
    call.leg.say('One.', 500)
    await call.run(4000)
    call.leg.say('Two.', 500)
    await call.run(4000)
    const [system] = call.engines.warmedUp[0] ?? []
    const [first, second] = call.engines.asked.map(({ messages }) => messages)
    expect(first?.[0]).toEqual(system)
    expect(second?.slice(0, first?.length)).toEqual(first)
  })

  it('has as its transcript the final texts of its events, in their order', async () => {
    const call = await setup()
    call.leg.say('One pizza please.', 900)
    await call.run(4000)
    call.leg.humanHangsUp()
    const talk = await call.finish()
    expect(talk.ending).toBe('human_hangup')
    const finals = call.events.flatMap(({ event }) =>
      event.type === 'transcript' && event.final
        ? [{ role: event.role, text: event.text, at: event.at }]
        : [],
    )
    expect(talk.transcript).toEqual(finals)
    expect(finals.map(({ text }) => text)).toEqual([
      'Hi there.',
      'One pizza please.',
      'I heard One pizza please.',
    ])
  })

  it('holds what the human said last even when they hang up in the middle of it', async () => {
    const call = await setup()
    call.leg.say('No thanks, goodbye and good luck', 1200)
    await call.run(1180)
    call.leg.humanHangsUp()
    const talk = await call.finish()
    expect(talk.transcript.at(-1)).toMatchObject({ role: 'human' })
    expect(talk.transcript.at(-1)?.text).toMatch(/^No thanks, goodbye/)
  })

  it('survives a listener that throws', async () => {
    const call = await setup()
    call.events.push = () => {
      throw new Error('full')
    }
    call.leg.say('One pizza please.', 900)
    await call.run(4000)
    call.leg.humanHangsUp()
    expect((await call.finish()).transcript).toHaveLength(3)
  })
})
