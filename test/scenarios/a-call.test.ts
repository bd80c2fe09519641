import { describe, expect, it } from 'vitest'
import { appForEachTest, GOODBYE, HOOK_URL, NUMBER } from '../kit/app.ts'
import { OUR_NUMBER } from '../kit/app-process.ts'
import { isSignedBy } from '../kit/fake-receiver.ts'

const start = appForEachTest()

describe('a call', () => {
  it('goes from POST to a signed webhook with transcript, summary, cost and duration', async () => {
    const app = await start()
    const { secret } = await app.hook()
    app.trunk.phone(NUMBER, { says: [GOODBYE] })
    const answer = await app.post({
      firstMessage: 'Hi, I would like a pizza.',
      name: "Joe's Pizza",
    })
    expect(answer.status).toBe(201)
    expect(answer.json).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-/),
      status: 'initiated',
      direction: 'outbound',
      toNumber: NUMBER,
      fromNumber: OUR_NUMBER,
      instructions: 'Order a large pepperoni.',
      name: "Joe's Pizza",
      firstMessage: 'Hi, I would like a pizza.',
      createdAt: '2026-03-20T18:30:00.000Z',
    })
    const { id } = answer.json as { id: string }
    const call = await app.ended(id)
    await app.run(1000)
    expect(app.receiver.posts).toHaveLength(1)
    const [post] = app.receiver.posts
    if (!post) throw new Error('nothing was posted')
    expect(isSignedBy(secret, post)).toBe(true)
    expect(post.headers['X-Mio-Event']).toBe('call.completed')
    expect(JSON.parse(post.body)).toEqual({
      event: 'call.completed',
      timestamp: String(Math.floor(Date.parse(call.endedAt ?? '') / 1000)),
      call: {
        id,
        direction: 'outbound',
        status: 'completed',
        name: "Joe's Pizza",
        toNumber: NUMBER,
        fromNumber: OUR_NUMBER,
        instructions: 'Order a large pepperoni.',
        summary: 'A large pepperoni was ordered for seven.',
        transcript: [
          { role: 'agent', text: 'Hi, I would like a pizza.' },
          { role: 'human', text: 'Thanks, goodbye.' },
          { role: 'agent', text: 'Thank you, goodbye.' },
        ],
        cost: 1,
        duration: 7,
        attempt: 1,
        startedAt: '2026-03-20T18:30:02.000Z',
        endedAt: call.endedAt,
        createdAt: '2026-03-20T18:30:00.000Z',
        endReason: 'agent_hangup',
        metadata: null,
        result: null,
      },
    })
    expect(app.placed(id)[0]?.ladder).toEqual(['INVITE', '180', '200', 'BYE'])
    expect(await app.balance()).toBe(499)
  })

  it('is told whole by GET, with every field of the webhook and its events and timings', async () => {
    const app = await start()
    await app.hook()
    app.trunk.phone(NUMBER, { says: [GOODBYE] })
    const id = await app.place({ firstMessage: 'Hi.', metadata: { order: '17' } })
    await app.ended(id)
    await app.run(1000)
    const call = await app.call(id)
    expect(call).toMatchObject(app.receiver.posts[0]?.call ?? { missing: true })
    expect(call.metadata).toEqual({ order: '17' })
    const told = call.events.map(({ type, status, role, name, text, final }) =>
      final === false ? `${role} begins` : `${type} ${status ?? name ?? `${role}: ${text}`}`,
    )
    expect(told.filter((line, i) => line !== told[i - 1])).toEqual([
      'status initiated',
      'status ringing',
      'status in_progress',
      'agent begins',
      'transcript agent: Hi.',
      'transcript human: Thanks, goodbye.',
      'agent begins',
      'tool end_call',
      'agent begins',
      'transcript agent: Thank you, goodbye.',
      'status completed',
    ])
    const [timing] = call.timings
    expect(timing).toMatchObject({ turn: 2, speechEnd: '2026-03-20T18:30:06.800Z' })
    const stages = ['speechEnd', 'finalText', 'firstToken', 'firstSound', 'onWire'] as const
    const times = stages.map((stage) => Date.parse(timing?.[stage] ?? ''))
    expect(times).toEqual(times.toSorted((a, b) => a - b))
  })

  it('tells a webhook that asked when it rings and when it is answered, at once', async () => {
    const app = await start()
    await app.hook(HOOK_URL, ['call.started'])
    await app.hook('https://b.example.com/', ['call.answered'])
    await app.hook('https://c.example.com/', ['*'])
    app.trunk.phone(NUMBER, { ringsAfter: 700, answersAfter: 3000, hangsUpAfter: 20_000 })
    await app.place()
    const begin = app.clock.now()
    await app.run(20_000)
    const came = (url: string) =>
      app.receiver.to(url).map(({ event, at, call }) => [event, call.status, at - begin])
    expect(came(HOOK_URL)).toEqual([['call.started', 'ringing', 700]])
    expect(came('https://b.example.com/')).toEqual([['call.answered', 'in_progress', 3000]])
    expect(came('https://c.example.com/')).toEqual([
      ['call.started', 'ringing', 700],
      ['call.answered', 'in_progress', 3000],
    ])
    await app.run(20_000)
    expect(came('https://c.example.com/').map(([event]) => event)).toEqual([
      'call.started',
      'call.answered',
      'call.completed',
    ])
    expect(app.receiver.posts).toHaveLength(5)
  })

  it('shows in the metrics while it runs and after it ended', async () => {
    const app = await start()
    const id = await app.place()
    await app.reaches(id, 'in_progress')
    const metrics = async (): Promise<string[]> =>
      (await app.send('GET', '/metrics')).text
        .split('\n')
        .filter((line) => /^landline_(active_calls|calls_total)/.test(line))
    expect(await metrics()).toContain('landline_active_calls 1')
    app.placed(id)[0]?.leg?.humanHangsUp()
    await app.ended(id)
    await app.run(1000)
    expect(await metrics()).toContain('landline_active_calls 0')
    expect(await metrics()).toContain(
      'landline_calls_total{status="completed",end_reason="human_hangup"} 1',
    )
  })
})
