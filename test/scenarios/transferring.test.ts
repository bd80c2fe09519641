import { describe, expect, it } from 'vitest'
import { appForEachTest, HOOK_URL, NUMBER } from '../kit/app.ts'
import type { AppOptions } from '../kit/app-process.ts'
import type { FakeReply } from '../kit/fake-engines.ts'

const start = appForEachTest()

const COLLEAGUE = '+15557654321'
const ASKS = { at: 4000, ms: 1500, text: 'May I speak to a human?' }

function reply(messages: readonly { role: string; content: string }[]): FakeReply {
  const last = messages.at(-1)
  if (last?.content.includes('Summarise')) return { text: 'The person was put through.' }
  if (last?.role === 'tool') return { text: 'Sorry, nobody is there. Goodbye.', tools: END }
  if (last?.content.includes('human'))
    return {
      text: 'I will get my colleague.',
      tools: [{ name: 'transfer_call', arguments: {} }],
    }
  return { text: 'Yes?' }
}

const END = [{ name: 'end_call', arguments: {} }]

/** An appliance whose agent transfers who asks for a human, and a webhook that is told of everything. */
async function setup(o: AppOptions = {}) {
  const app = await start({ reply, ...o })
  await app.hook(HOOK_URL, ['call.transferred', 'call.completed'])
  app.trunk.phone(NUMBER, { says: [ASKS] })
  return app
}

describe('a call with transferTo', () => {
  it('ends as transferred, told by webhook when it happens and when it is over', async () => {
    const app = await setup()
    const answer = await app.post({ firstMessage: 'Hi.', transferTo: COLLEAGUE })
    expect(answer.status).toBe(201)
    expect(answer.json).toMatchObject({ transferTo: COLLEAGUE })
    const { id } = answer.json as { id: string }
    const call = await app.ended(id)
    expect(call).toMatchObject({
      status: 'completed',
      endReason: 'transferred',
      transferTo: COLLEAGUE,
      summary: 'The person was put through.',
    })
    expect(call.events.filter(({ type }) => type === 'tool')).toMatchObject([
      { name: 'transfer_call', arguments: {} },
    ])
    expect(app.placed(id)[0]?.ladder).toEqual(['INVITE', '180', '200', 'REFER', 'BYE'])
    expect(app.placed(id)[0]?.leg?.transfers).toEqual([COLLEAGUE])
    await app.run(1000)
    const [transferred, completed] = app.receiver.posts
    expect(transferred).toMatchObject({
      event: 'call.transferred',
      call: { id, status: 'in_progress', endReason: null },
    })
    expect(transferred?.call.transcript).toContainEqual({
      role: 'agent',
      text: 'I will get my colleague.',
    })
    expect(completed).toMatchObject({
      event: 'call.completed',
      call: { id, status: 'completed', endReason: 'transferred' },
    })
    expect(app.receiver.posts).toHaveLength(2)
  })

  it('that cannot be transferred goes on and ends as it ends', async () => {
    const app = await setup()
    app.trunk.phone(NUMBER, {
      says: [ASKS],
      transfer: { ok: false, reason: 'the number is busy' },
    })
    const id = await app.place({ firstMessage: 'Hi.', transferTo: COLLEAGUE })
    const call = await app.ended(id)
    expect(call).toMatchObject({ status: 'completed', endReason: 'agent_hangup' })
    expect(call.transcript.at(-1)?.text).toContain('Sorry, nobody is there.')
    await app.run(1000)
    expect(app.receiver.posts.map(({ event }) => event)).toEqual(['call.completed'])
  })

  it('is refused where the dial policy keeps that number from being called', async () => {
    const app = await setup({ settings: { 'calls.blocked_prefixes': '+1900' } })
    const answer = await app.post({ transferTo: '+19005550000' })
    expect(answer.status).toBe(400)
    expect(answer.json).toMatchObject({ code: 'dial_policy' })
  })

  it('is held to the dial policy as it is when the call is made', async () => {
    const app = await setup()
    const callAt = new Date(app.clock.now() + 3_600_000).toISOString()
    const id = await app.place({ firstMessage: 'Hi.', transferTo: COLLEAGUE, callAt })
    await app.kill()
    await app.restart(1000, { 'calls.blocked_prefixes': '+1555765' })
    await app.run(3_595_000)
    await app.reaches(id, 'in_progress', 60_000)
    await app.run(15_000)
    expect(app.placed(id)[0]?.leg?.transfers).toEqual([])
    expect(app.log.map(({ message }) => message)).toContain('transfer refused by the dial policy')
    app.placed(id)[0]?.leg?.humanHangsUp()
    await app.ended(id)
  })

  it('is what only a call with transferTo can become', async () => {
    const app = await setup()
    const id = await app.place({ firstMessage: 'Hi.' })
    const call = await app.ended(id)
    expect(call).toMatchObject({ endReason: 'agent_hangup', transferTo: null })
    expect(app.placed(id)[0]?.leg?.transfers).toEqual([])
  })
})
