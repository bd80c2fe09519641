import { describe, expect, it } from 'vitest'
import { appForEachTest, GOODBYE, NUMBER, type TestApp } from '../kit/app.ts'
import type { Phone } from '../kit/fake-trunk.ts'

const start = appForEachTest()

/** Places one call to a phone, and sees it through. */
async function phoneThat(phone: Phone, fields: Record<string, unknown> = {}) {
  const app = await start()
  await app.hook()
  app.trunk.phone(NUMBER, phone)
  const id = await app.place(fields)
  const call = await app.ended(id, 200_000)
  await app.run(1000)
  return { app, call, ...outcomeOf(app, call) }
}

function outcomeOf(app: TestApp, call: { id: string; status: string; endReason: string | null }) {
  const [post] = app.receiver.posts
  return {
    outcome: [call.status, call.endReason],
    told: post && [post.call.status, post.call.endReason],
    ladder: app.placed(call.id)[0]?.ladder.join(' '),
  }
}

describe('a call that is not answered', () => {
  it.each([
    [486, 'busy', null],
    [600, 'busy', null],
    [408, 'no_answer', null],
    [480, 'no_answer', null],
    [302, 'failed', 'rejected'],
    [403, 'failed', 'rejected'],
    [404, 'failed', 'rejected'],
    [488, 'failed', 'rejected'],
    [603, 'failed', 'rejected'],
    [401, 'failed', 'trunk_error'],
    [407, 'failed', 'trunk_error'],
    [500, 'failed', 'trunk_error'],
    [503, 'failed', 'trunk_error'],
  ] as const)('with %i is %s, %s', async (status, wanted, endReason) => {
    const { app, call, outcome, told, ladder } = await phoneThat({ status, answersAfter: 1500 })
    expect(outcome).toEqual([wanted, endReason])
    expect(told).toEqual([wanted, endReason])
    expect(call).toMatchObject({
      ...{ sipCode: status, cost: 0, duration: 0, startedAt: null, summary: null, transcript: [] },
      endedAt: '2026-03-20T18:30:01.500Z',
    })
    expect(ladder).toBe(`INVITE 180 ${status}`)
    expect(await app.balance()).toBe(500)
  })

  it('while it rings until the ring timeout is no_answer, and is canceled at the trunk', async () => {
    const { call, outcome, ladder } = await phoneThat({ answersAfter: null })
    expect(outcome).toEqual(['no_answer', null])
    expect(Date.parse(call.endedAt ?? '') - Date.parse(call.createdAt)).toBe(45_000)
    expect(ladder).toBe('INVITE 180 CANCEL 487')
  })

  it('not even by a 100 is a trunk error', async () => {
    const { call, outcome, told, ladder } = await phoneThat({ dead: 'silent' })
    expect(outcome).toEqual(['failed', 'trunk_error'])
    expect(told).toEqual(['failed', 'trunk_error'])
    expect(call.sipCode).toBeNull()
    expect(ladder).toBe('INVITE')
  })

  it('because the socket is refused is a trunk error', async () => {
    const { outcome } = await phoneThat({ dead: 'refused' })
    expect(outcome).toEqual(['failed', 'trunk_error'])
  })

  it('because the telephony has a bug is a trunk error, and the appliance lives', async () => {
    const app = await start()
    app.trunk.broken = new Error('bug')
    const call = await app.ended(await app.place())
    expect([call.status, call.endReason]).toEqual(['failed', 'trunk_error'])
    app.trunk.broken = null
    app.trunk.phone(NUMBER, { status: 486 })
    expect((await app.ended(await app.place())).status).toBe('busy')
  })
})

describe('an answered call is completed', () => {
  it('with agent_hangup when the agent ends it', async () => {
    const { outcome, told, ladder } = await phoneThat({ says: [GOODBYE] })
    expect(outcome).toEqual(['completed', 'agent_hangup'])
    expect(told).toEqual(outcome)
    expect(ladder).toBe('INVITE 180 200 BYE')
  })

  it('with human_hangup when the human does, with what was said until then', async () => {
    const { call, outcome, ladder } = await phoneThat({
      says: [{ at: 3000, ms: 900, text: 'What would you like?' }],
      hangsUpAfter: 5000,
    })
    expect(outcome).toEqual(['completed', 'human_hangup'])
    expect(ladder).toBe('INVITE 180 200 BYE from them')
    expect(call.transcript.filter(({ role }) => role === 'human')).toEqual([
      { role: 'human', text: 'What would you like?' },
    ])
    expect(call.duration).toBe(5)
  })

  it('with max_duration after a goodbye when its time is over', async () => {
    const { call, outcome } = await phoneThat({}, { maxDuration: 20 })
    expect(outcome).toEqual(['completed', 'max_duration'])
    expect(call.transcript.at(-1)?.text).toContain('goodbye')
    expect(call.duration).toBeLessThanOrEqual(20)
  })

  it('with silence when nobody says anything', async () => {
    const { outcome } = await phoneThat({})
    expect(outcome).toEqual(['completed', 'silence'])
  })

  it('with engine_error when the model fails, after an apology', async () => {
    const app = await start()
    app.engines.broken.model = true
    app.trunk.phone(NUMBER, { says: [{ at: 2500, ms: 900, text: 'What would you like?' }] })
    const call = await app.ended(await app.place({ firstMessage: 'Hi.' }))
    expect([call.status, call.endReason]).toEqual(['completed', 'engine_error'])
    expect(call.transcript.at(-1)?.text).toContain('technical trouble')
    expect(call.summary).toContain('What would you like?')
  })

  it('with rtp_timeout when no sound comes any more', async () => {
    const app = await start()
    const id = await app.place()
    await app.reaches(id, 'in_progress')
    app.placed(id)[0]?.leg?.end({ by: 'rtp_timeout' })
    const call = await app.ended(id)
    expect([call.status, call.endReason]).toEqual(['completed', 'rtp_timeout'])
  })

  it('with rtp_timeout when the dialog breaks', async () => {
    const app = await start()
    const id = await app.place()
    await app.reaches(id, 'in_progress')
    app.placed(id)[0]?.leg?.end({ by: 'trunk_error', reason: 'no transport' })
    const call = await app.ended(id)
    expect([call.status, call.endReason]).toEqual(['completed', 'rtp_timeout'])
    expect(call.events.at(-1)?.reason).toBe('no transport')
  })
})
