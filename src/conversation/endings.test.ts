import { describe, expect, it } from 'vitest'
import { type FakeCallOptions, placeCall } from '../../test/kit/fake-call.ts'
import type { FakeReply } from '../../test/kit/fake-engines.ts'
import { lineText } from './stock-lines.ts'

/** A call whose first message has been heard. */
async function setup(o: FakeCallOptions = {}) {
  const call = await placeCall({ brief: { firstMessage: 'Hi there.', ...o.brief }, ...without(o) })
  await call.run(3000)
  return call
}

function without({ brief: _, ...rest }: FakeCallOptions): FakeCallOptions {
  return rest
}

const goodbye: FakeReply = {
  text: 'Thank you, goodbye.',
  tools: [{ name: 'end_call', arguments: {} }],
}

const OWN_GOODBYE_AT = 5500

/** A call whose agent has taken `end_call` and is saying its goodbye. */
async function inOwnGoodbye(o: FakeCallOptions) {
  const call = await setup({ reply: () => goodbye, ...o })
  call.leg.say('It is ready now.', 1500)
  await call.run(OWN_GOODBYE_AT - call.leg.time())
  expect(call.leg.queued).toBeGreaterThan(0)
  expect(call.leg.hungUpAt).toBeNull()
  return call
}

describe('end_call', () => {
  it('hangs up after the goodbye was heard', async () => {
    const call = await setup({ reply: () => goodbye })
    call.leg.say('It is ready now.', 1500)
    const talk = await call.finish(20_000)
    expect(talk.ending).toBe('agent_hangup')
    const last = call.sounds().at(-1)
    expect(talk.transcript.at(-1)?.text).toBe('Thank you, goodbye.')
    expect(last?.whole).toBe(true)
    expect(call.leg.hungUpAt).toBe((last?.at ?? 0) + (last?.ms ?? 0))
  })

  it('hangs up at once when the model said nothing with it', async () => {
    const call = await setup({ reply: () => ({ tools: goodbye.tools ?? [] }) })
    call.leg.say('Goodbye.', 700)
    const talk = await call.finish(20_000)
    expect(talk.ending).toBe('agent_hangup')
    expect(call.sounds()).toHaveLength(1)
  })

  it('is not stopped by a "bye" into the goodbye, which is written down', async () => {
    const call = await setup({ reply: () => goodbye, msPerChar: 120 })
    call.leg.say('It is ready now.', 1500)
    await call.run(2200)
    call.leg.say('Bye bye.', 600)
    const talk = await call.finish(20_000)
    expect(call.sounds().at(-1)?.whole).toBe(true)
    expect(talk.transcript.map(({ text }) => text)).toContain('Bye bye.')
    expect(talk.ending).toBe('agent_hangup')
  })

  it('is no agent hang-up when the human was first', async () => {
    const call = await setup({ reply: () => goodbye })
    call.leg.say('It is ready now.', 1500)
    await call.run(2200)
    call.leg.humanHangsUp()
    const talk = await call.finish(20_000)
    expect(talk.ending).toBe('human_hangup')
    expect('Thank you, goodbye.').not.toBe(talk.transcript.at(-1)?.text)
  })
})

describe('press_digits', () => {
  const menu = (messages: readonly { role: string; content: string }[]): FakeReply => {
    const last = messages.at(-1)
    if (last?.role === 'tool') return { text: `Result: ${last.content}` }
    return {
      text: 'I press one.',
      tools: [{ name: 'press_digits', arguments: { digits: '1' } }],
    }
  }

  it('presses after what was said before it, and goes on with the result', async () => {
    const call = await setup({ reply: menu })
    call.leg.say('Press one for orders.', 1500)
    await call.run(8000)
    expect(call.leg.digits).toEqual(['1'])
    const [, said, result] = call.sounds()
    expect(said?.text).toBe('I press one.')
    expect(result?.text).toBe('Result: The keys were pressed.')
    // 160 ms for the key, then the model and the voice.
    expect(result?.at).toBe((said?.at ?? 0) + (said?.ms ?? 0) + 160 + 120 + 80)
  })

  it('is told as it takes effect', async () => {
    const call = await setup({ reply: menu })
    call.leg.say('Press one for orders.', 1500)
    await call.run(8000)
    expect(call.events.filter(({ event }) => event.type === 'tool')).toMatchObject([
      { event: { name: 'press_digits', arguments: { digits: '1' } } },
    ])
  })

  it.each([
    ['press_digits', { digits: 'one' }],
    ['call_me_maybe', {}],
  ])('%s with %j is answered to the model as an error, and nothing happens', async (name, args) => {
    const call = await setup({
      reply: (messages) =>
        messages.at(-1)?.role === 'tool'
          ? { text: 'Sorry.' }
          : { tools: [{ name, arguments: args }] },
    })
    call.leg.say('Press one for orders.', 1500)
    await call.run(8000)
    expect(call.engines.asked.at(-1)?.messages.at(-1)?.content).toMatch(/^Error: /)
    expect(call.leg.digits).toEqual([])
    expect(call.events.filter(({ event }) => event.type === 'tool')).toEqual([])
    expect(call.sounds().at(-1)?.text).toBe('Sorry.')
  })

  it('does not run in circles when the model asks for tools again and again', async () => {
    const call = await setup({
      reply: () => ({ tools: [{ name: 'nonsense', arguments: {} }] }),
    })
    call.leg.say('Press one for orders.', 1500)
    expect((await call.finish(60_000)).ending).toBe('engine_error')
    expect(call.engines.asked.length).toBeLessThanOrEqual(8)
  })
})

describe('silence', () => {
  it('is asked about twice, then the call ends with a goodbye', async () => {
    const call = await placeCall({ brief: { firstMessage: 'Hi there.' } })
    const talk = await call.finish(60_000)
    expect(talk.ending).toBe('silence')
    expect(call.sounds().map(({ text }) => text)).toEqual([
      'Hi there.',
      lineText('ask'),
      lineText('ask_again'),
      lineText('silence_goodbye'),
    ])
    const [first, asked] = call.sounds()
    expect((asked?.at ?? 0) - (first?.at ?? 0) - (first?.ms ?? 0)).toBe(10_000)
  })

  it('is over as soon as the human speaks, and counted anew', async () => {
    const call = await placeCall({ brief: { firstMessage: 'Hi there.' } })
    await call.run(14_000)
    call.leg.say('Here I am.', 1000)
    await call.run(4000)
    expect(call.sounds().at(-1)?.text).toBe('I heard Here I am.')
    await call.run(12_000)
    expect(call.sounds().at(-1)?.text).toBe(lineText('ask'))
  })

  it('is what noises are that hold no word', async () => {
    const says = Array.from({ length: 40 }, (_, i) => ({ at: i * 3000, ms: 300, text: '' }))
    const call = await placeCall({ brief: { firstMessage: 'Hi there.' }, says })
    expect((await call.finish(90_000)).ending).toBe('silence')
  })

  it('is what music without a pause is: no call waits for its end (livekit/agents#5862)', async () => {
    const call = await placeCall({
      brief: { firstMessage: 'Hi there.' },
      says: [{ at: 3000, ms: 3_600_000, text: '' }],
    })
    const talk = await call.finish(150_000)
    expect(talk.ending).toBe('silence')
    expect(call.sounds().filter(({ whole }) => whole)).toHaveLength(4)
  })

  it('is not what somebody makes who talks without a pause: they are answered in the end', async () => {
    const text = Array.from({ length: 400 }, (_, i) => `w${i}`).join(' ')
    const call = await setup({ reply: () => ({ text: 'May I say something?' }) })
    call.leg.say(text, 60_000)
    await call.run(40_000)
    expect(call.sounds().at(-1)).toMatchObject({ text: 'May I say something?', whole: true })
  })
})

describe('the longest duration', () => {
  it('is announced by a goodbye and never passed', async () => {
    const call = await placeCall({
      brief: { firstMessage: 'Hi there.', maxDurationSeconds: 60 },
      says: Array.from({ length: 20 }, (_, i) => ({
        at: 3000 + i * 5000,
        ms: 1000,
        text: 'Well.',
      })),
    })
    const talk = await call.finish(61_000)
    expect(talk.ending).toBe('max_duration')
    expect(call.sounds().at(-1)).toMatchObject({ text: lineText('max_duration'), whole: true })
    expect(call.leg.hungUpAt).toBeLessThanOrEqual(60_000)
  })

  it('cuts a goodbye that would pass it', async () => {
    const call = await placeCall({
      brief: { firstMessage: 'Hi there.', maxDurationSeconds: 10 },
      msPerChar: 400,
    })
    expect((await call.finish(11_000)).ending).toBe('max_duration')
    expect(call.leg.hungUpAt).toBe(10_000)
  })
})

describe('being asked to stop', () => {
  it('hangs up at once when canceled, also in the middle of a sentence', async () => {
    const call = await placeCall()
    await call.run(1000)
    call.stop.abort('canceled')
    const talk = await call.finish(2000)
    expect(talk.ending).toBe('canceled')
    expect(call.leg.hungUpAt).toBe(1000)
    expect(talk.transcript[0]?.text).toBe('Hi, I would like')
  })

  it('hangs up at once when it was canceled before the answer', async () => {
    const call = await placeCall()
    const second = await placeCall({ brief: { firstMessage: null } })
    call.stop.abort('canceled')
    second.stop.abort(new Error('any other reason'))
    expect((await call.finish(1000)).transcript).toEqual([])
    expect((await second.finish(1000)).ending).toBe('canceled')
  })

  it.each(['shutdown', 'out_of_balance'] as const)('says goodbye first on %s', async (reason) => {
    const call = await setup()
    call.stop.abort(reason)
    const talk = await call.finish(6000)
    expect(talk.ending).toBe(reason)
    expect(call.sounds().at(-1)).toMatchObject({ text: lineText(reason), whole: true, at: 3000 })
  })

  it('waits at most 4 s for the goodbye, also when the voice hangs', async () => {
    const call = await setup({ msPerChar: 400 })
    call.stop.abort('shutdown')
    await call.finish(6000)
    expect(call.leg.hungUpAt).toBe(7000)
    const mute = await setup({ ringMs: 100, broken: { voice: 'hangs' } })
    mute.stop.abort('shutdown')
    await mute.finish(6000)
    expect(mute.leg.hungUpAt).toBe(7000)
  })

  it.each(['shutdown', 'out_of_balance'] as const)(
    "on %s waits 4 s at most for the agent's own long goodbye too",
    async (reason) => {
      const call = await inOwnGoodbye({ msPerChar: 1000 })
      call.stop.abort(reason)
      const askedAt = call.leg.time()
      const talk = await call.finish(6000)
      expect(call.leg.hungUpAt).toBe(askedAt + 4000)
      expect(talk.ending).toBe('agent_hangup')
    },
  )

  it("lets the agent's own goodbye end in its time when that comes sooner", async () => {
    const call = await inOwnGoodbye({})
    call.stop.abort('shutdown')
    await call.finish(6000)
    expect(call.sounds().at(-1)).toMatchObject({ text: 'goodbye.', whole: true })
  })

  it("hangs up at once when canceled, also in the agent's own goodbye or in ours", async () => {
    const own = await inOwnGoodbye({})
    own.stop.abort('canceled')
    await own.finish(2000)
    expect(own.leg.hungUpAt).toBe(OWN_GOODBYE_AT)
    const ours = await placeCall({ brief: { firstMessage: 'Hi there.', maxDurationSeconds: 10 } })
    await ours.run(8000)
    expect(ours.leg.queued).toBe(1)
    ours.stop.abort('canceled')
    expect((await ours.finish(1000)).ending).toBe('max_duration')
    expect(ours.leg.hungUpAt).toBe(8000)
  })
})

describe('the end of the leg', () => {
  it.each([
    [{ by: 'human' }, 'human_hangup'],
    [{ by: 'rtp_timeout' }, 'rtp_timeout'],
    [{ by: 'trunk_error', reason: 'dead' }, 'trunk_error'],
    [{ by: 'us' }, 'max_duration'],
  ] as const)('%j is %s', async (end, ending) => {
    const call = await setup()
    call.leg.end(end)
    expect((await call.finish(5000)).ending).toBe(ending)
  })

  it('in the middle of a sentence leaves what was heard of it', async () => {
    const call = await placeCall()
    await call.run(1000)
    call.leg.humanHangsUp()
    expect((await call.finish(5000)).transcript).toMatchObject([
      { role: 'agent', text: 'Hi, I would like' },
    ])
  })

  it('does not wait for ever for the text of what was said last', async () => {
    const call = await setup()
    call.leg.say('It is ready now.', 1000)
    call.engines.broken.recogniser = 'hangs'
    await call.run(1050)
    call.leg.humanHangsUp()
    await call.run(3100)
    expect(call.talk?.ending).toBe('human_hangup')
  })

  it('is told also when the speech detector cannot be let go of', async () => {
    const call = await setup({ broken: { detector: 'at the end' } })
    call.leg.humanHangsUp()
    expect((await call.finish(5000)).ending).toBe('human_hangup')
  })

  it('leaves no timer behind', async () => {
    const call = await setup()
    call.leg.humanHangsUp()
    await call.finish(5000)
    await call.run(30_000)
    const fired = call.clock.fired
    await call.run(600_000)
    expect(call.clock.fired).toBe(fired)
  })
})

describe('hold', () => {
  it('is not talked into; what waits is said when it is over', async () => {
    const call = await setup({ firstTokenMs: 1000, reply: () => ({ text: 'At seven please.' }) })
    call.leg.say('What time?', 800)
    await call.run(1500)
    call.leg.hold(true)
    await call.run(30_000)
    expect(call.sounds()).toHaveLength(1)
    expect(call.leg.queued).toBe(0)
    call.leg.hold(false)
    await call.run(3000)
    expect(call.sounds().at(-1)).toMatchObject({ text: 'At seven please.', whole: true })
  })

  it('stops the sentence that it meets, and that is taken up afterwards', async () => {
    const call = await setup({
      reply: (messages) =>
        messages.at(-1)?.content.startsWith('(')
          ? { text: 'As I said.' }
          : { text: 'That is a long story that takes its time to be told.' },
    })
    call.leg.say('What is it?', 800)
    await call.run(2000)
    call.leg.hold(true)
    await call.run(300)
    expect(call.leg.queued).toBe(0)
    await call.run(20_000)
    call.leg.hold(false)
    await call.run(3000)
    expect(call.sounds().at(-1)?.text).toBe('As I said.')
  })

  it('makes nobody of the music', async () => {
    const call = await setup()
    call.leg.hold(true)
    call.leg.say('la la la la', 5000)
    await call.run(20_000)
    expect(call.engines.asked).toHaveLength(0)
    expect(call.engines.recognised).toHaveLength(0)
    expect(call.talk).toBeNull()
  })

  it('has no sample of it recognised, also of music that goes on beyond its end', async () => {
    const call = await setup()
    call.leg.hold(true)
    call.leg.say('la la la la la la la la', 8000)
    await call.run(6000)
    call.leg.hold(false)
    const { lastHold } = call.leg
    call.leg.say('Thanks for holding, how can I help?', 2000, call.leg.time() + 2500)
    await call.run(8000)
    expect(call.engines.recognised.length).toBeGreaterThan(0)
    for (const { from } of call.engines.recognised)
      expect(from).toBeGreaterThanOrEqual(lastHold?.to ?? Number.POSITIVE_INFINITY)
    expect(call.sounds().at(-1)?.text).toContain('how can I help?')
  })

  it('writes down what the human said up to it, and nothing of what came after', async () => {
    const call = await setup()
    call.leg.say('One moment please', 1000)
    await call.run(1000)
    // The music begins with the hold, without a pause between.
    call.leg.hold(true)
    call.leg.say('la la la la', 20_000)
    await call.run(10_000)
    expect(call.engines.recognised).toHaveLength(1)
    expect(call.engines.recognised[0]?.to).toBe(call.leg.lastHold?.from)
    expect(call.sounds()).toHaveLength(1)
    call.leg.humanHangsUp()
    const { transcript } = await call.finish(5000)
    expect(transcript.map(({ text }) => text)).toEqual(['Hi there.', 'One moment please'])
  })

  it('keeps a turn whose pause was not over yet', async () => {
    const call = await setup({ recogniseMs: 400 })
    call.leg.say('I will ask my boss', 1000)
    await call.run(1250)
    call.leg.hold(true)
    await call.run(5000)
    call.leg.humanHangsUp()
    const { transcript } = await call.finish(5000)
    expect(transcript.at(-1)?.text).toBe('I will ask my boss')
    expect(call.sounds()).toHaveLength(1)
  })

  it('is no way to keep a call for ever (livekit/agents#5862)', async () => {
    const call = await setup({ brief: { maxDurationSeconds: 120 } })
    call.leg.hold(true)
    call.leg.say('la la la', 3_600_000)
    const talk = await call.finish(121_000)
    expect(talk.ending).toBe('max_duration')
    expect(call.leg.hungUpAt).toBeLessThanOrEqual(120_000)
    expect(talk.transcript.map(({ text }) => text)).toEqual(['Hi there.'])
  })
})
