import { describe, expect, it } from 'vitest'
import { type FakeCallOptions, placeCall } from '../../test/kit/fake-call.ts'
import type { FakeReply } from '../../test/kit/fake-engines.ts'
import type { TransferOutcome } from '../calls/ports.ts'
import { lineText } from './stock-lines.ts'

const COLLEAGUE = '+15557654321'

type Messages = readonly { role: string; content: string }[]

const toColleague = (text?: string): FakeReply => ({
  ...(text === undefined ? {} : { text }),
  tools: [{ name: 'transfer_call', arguments: {} }],
})

/** Transfers when it is asked to, and says what it is told of a transfer that failed. */
function model(messages: Messages): FakeReply {
  const last = messages.at(-1)
  if (last?.role === 'tool') return { text: `I was told: ${last.content}` }
  if (last?.content.startsWith('(')) return { text: 'I am back.' }
  return last?.content.includes('human')
    ? toColleague('I will get my colleague.')
    : { text: 'Yes?' }
}

/** A call that may be transferred, whose first message has been heard. */
async function setup(o: FakeCallOptions = {}) {
  const call = await placeCall({
    reply: model,
    ...o,
    brief: { firstMessage: 'Hi there.', transferTo: COLLEAGUE, ...o.brief },
  })
  await call.run(3000)
  return call
}

/** What the transfer comes to is told by hand. */
function undecided() {
  const outcome = Promise.withResolvers<TransferOutcome>()
  return { transfer: () => outcome.promise, decide: outcome.resolve }
}

describe('transfer_call', () => {
  it('hands the human over once its sentence was heard, and the call ends as transferred', async () => {
    const call = await setup()
    call.leg.say('May I speak to a human?', 1500)
    const talk = await call.finish(20_000)
    expect(talk.ending).toBe('transferred')
    expect(call.leg.transfers).toEqual([COLLEAGUE])
    const last = call.sounds().at(-1)
    expect(last).toMatchObject({ text: 'I will get my colleague.', whole: true })
    expect(call.leg.hungUpAt).toBe((last?.at ?? 0) + (last?.ms ?? 0) + 1000)
    expect(talk.transcript.map(({ text }) => text)).toEqual([
      'Hi there.',
      'May I speak to a human?',
      'I will get my colleague.',
    ])
  })

  it('is told as it is asked for and when it is done', async () => {
    const call = await setup()
    call.leg.say('A human please.', 1500)
    await call.finish(20_000)
    const types = call.events.map(({ event }) => event.type)
    expect(types.filter((type) => type === 'tool' || type === 'transferred')).toEqual([
      'tool',
      'transferred',
    ])
    expect(call.events.find(({ event }) => event.type === 'tool')?.event).toMatchObject({
      name: 'transfer_call',
      arguments: {},
    })
  })

  it('announces the transfer when the model says nothing with it', async () => {
    const call = await setup({ reply: () => toColleague() })
    call.leg.say('A human please.', 1500)
    const talk = await call.finish(20_000)
    expect(call.sounds().at(-1)).toMatchObject({ text: lineText('transfer'), whole: true })
    expect(talk.transcript.at(-1)?.text).toBe(lineText('transfer'))
    expect(talk.ending).toBe('transferred')
  })

  it('is not offered where nobody may be transferred to, and refused when it is called all the same', async () => {
    const call = await setup({ brief: { transferTo: null } })
    call.leg.say('May I speak to a human?', 1500)
    await call.run(8000)
    expect(call.engines.asked.flatMap(({ tools }) => tools.map(({ name }) => name))).not.toContain(
      'transfer_call',
    )
    expect(call.leg.transfers).toEqual([])
    expect(call.sounds().at(-1)?.text).toContain('nobody')
    expect(call.talk).toBeNull()
  })

  it('goes to no other number than that of the call, whoever asks for it', async () => {
    const call = await setup({
      reply: (messages) =>
        messages.at(-1)?.role === 'tool'
          ? { text: 'Sorry.' }
          : { tools: [{ name: 'transfer_call', arguments: { number: '+19005550000' } }] },
    })
    call.leg.say('Transfer me to nine hundred.', 1500)
    await call.run(8000)
    expect(call.leg.transfers).toEqual([])
    expect(call.events.filter(({ event }) => event.type === 'tool')).toEqual([])
    expect(call.sounds().at(-1)?.text).toBe('Sorry.')
  })

  it('is not done when the human objects before it', async () => {
    const call = await setup({
      reply: (messages) =>
        messages.at(-1)?.content.includes('human')
          ? toColleague('I will now get my colleague, who knows everything about it.')
          : { text: 'As you like.' },
    })
    call.leg.say('May I speak to a human?', 1500)
    await call.run(2600)
    call.leg.say('No wait, I have one more question.', 1500)
    await call.run(8000)
    expect(call.leg.transfers).toEqual([])
    expect(call.sounds().at(-1)?.text).toBe('As you like.')
    expect(call.talk).toBeNull()
  })

  it('hears and says nothing while it is undecided', async () => {
    const { transfer, decide } = undecided()
    const call = await setup({ transfer })
    call.leg.say('A human please.', 1500)
    await call.run(6000)
    const before = { sounds: call.sounds().length, asked: call.engines.asked.length }
    call.leg.say('la la la, ring ring', 4000)
    await call.run(60_000)
    expect(call.sounds().length).toBe(before.sounds)
    expect(call.engines.asked.length).toBe(before.asked)
    expect(call.talk).toBeNull()
    decide({ ok: true })
    const talk = await call.finish(5000)
    expect(talk.ending).toBe('transferred')
    expect(talk.transcript.at(-1)?.text).toBe('I will get my colleague.')
  })

  it('that fails leaves the agent with the human, and tells it why', async () => {
    const call = await setup({
      transfer: async () => ({ ok: false, reason: 'the number is busy' }),
    })
    call.leg.say('May I speak to a human?', 1500)
    await call.run(9000)
    expect(call.sounds().at(-1)?.text).toContain('the number is busy')
    expect(call.events.map(({ event }) => event.type)).not.toContain('transferred')
    call.leg.say('Then you help me.', 1000)
    await call.run(4000)
    expect(call.sounds().at(-1)).toMatchObject({ text: 'Yes?', whole: true })
    await call.run(25_000)
    expect(call.sounds().map(({ text }) => text)).not.toContain(lineText('apology'))
  })

  it('that fails on hold is told of when the hold is over', async () => {
    const { transfer, decide } = undecided()
    const call = await setup({ transfer })
    call.leg.say('A human please.', 1500)
    await call.run(6000)
    call.leg.hold(true)
    await call.run(5000)
    decide({ ok: false, reason: 'nobody answered' })
    await call.run(5000)
    const sounds = call.sounds().length
    expect(call.leg.queued).toBe(0)
    call.leg.hold(false)
    await call.run(3000)
    expect(call.sounds()[sounds]).toMatchObject({ text: 'I am back.', whole: true })
    expect(
      call.engines.asked
        .at(-1)
        ?.messages.map(({ content }) => content)
        .join(),
    ).toContain('nobody answered')
  })

  it('that succeeds on hold ends the call as transferred', async () => {
    const { transfer, decide } = undecided()
    const call = await setup({ transfer })
    call.leg.say('A human please.', 1500)
    await call.run(6000)
    call.leg.hold(true)
    await call.run(5000)
    decide({ ok: true })
    expect((await call.finish(5000)).ending).toBe('transferred')
  })

  it('that is never decided has failed after two minutes', async () => {
    const call = await setup({ transfer: () => new Promise(() => undefined) })
    call.leg.say('A human please.', 1500)
    await call.run(6000 + 125_000)
    const spoken = call.sounds().map(({ text }) => text)
    expect(spoken.join(' ')).toContain('nothing was heard of it')
  })

  it('is no transfer when the human hangs up before it is decided', async () => {
    const { transfer, decide } = undecided()
    const call = await setup({ transfer })
    call.leg.say('A human please.', 1500)
    await call.run(6000)
    call.leg.humanHangsUp()
    decide({ ok: false, reason: 'the call ended before it was decided' })
    expect((await call.finish(5000)).ending).toBe('human_hangup')
  })

  it('ends as transferred also when the other side hangs up in the same moment', async () => {
    const { transfer, decide } = undecided()
    const call = await setup({ transfer })
    call.leg.hangup = () => new Promise(() => undefined)
    call.leg.say('A human please.', 1500)
    await call.run(6000)
    decide({ ok: true })
    await call.run(0)
    call.leg.humanHangsUp()
    expect((await call.finish(5000)).ending).toBe('transferred')
  })

  it('does not outlast the longest duration', async () => {
    const call = await setup({
      transfer: () => new Promise(() => undefined),
      brief: { maxDurationSeconds: 30 },
    })
    call.leg.say('A human please.', 1500)
    const talk = await call.finish(31_000)
    expect(talk.ending).toBe('max_duration')
    expect(call.leg.hungUpAt).toBeLessThanOrEqual(30_000)
  })

  it('gives way to a cancel', async () => {
    const call = await setup({ transfer: () => new Promise(() => undefined) })
    call.leg.say('A human please.', 1500)
    await call.run(6000)
    call.stop.abort('canceled')
    expect((await call.finish(2000)).ending).toBe('canceled')
  })
})
