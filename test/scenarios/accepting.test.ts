import { describe, expect, it } from 'vitest'
import { appForEachTest, NUMBER, type TestApp } from '../kit/app.ts'
import { OUR_NUMBER } from '../kit/app-process.ts'
import type { Answer } from '../kit/http-client.ts'

const start = appForEachTest()
const OTHER = '+15557654321'

function refusal({ status, json }: Answer): unknown[] {
  return [status, (json as { code?: string }).code]
}

async function withoutMoney(o: Parameters<typeof start>[0] = {}): Promise<TestApp> {
  return start({ ...o, settings: { 'billing.initial_credit': 0, ...o.settings } })
}

describe('a call is refused', () => {
  it('with 402 in the words of the reference when the balance does not cover a minute', async () => {
    const app = await start({
      settings: { 'billing.initial_credit': 8 },
      toml: '[[billing.rates]]\nprefix = "+44"\ncents_per_minute = 9\n',
    })
    const answer = await app.post({ phoneNumber: '+447911123456' })
    expect(answer.status).toBe(402)
    expect(answer.json).toEqual({
      error: 'Insufficient balance. Please top up to make calls.',
      code: 'insufficient_balance',
    })
    expect((await app.post()).status).toBe(201)
    expect(await app.ask('GET', '/calls')).toMatchObject({ data: [{ toNumber: NUMBER }] })
  })

  it('with 402 when other calls hold what the balance would cover', async () => {
    const app = await start({ settings: { 'billing.initial_credit': 1 } })
    const id = await app.place()
    expect(refusal(await app.post({ phoneNumber: OTHER }))).toEqual([402, 'insufficient_balance'])
    expect(await app.balance()).toBe(1)
    await app.cancel(id)
    await app.ended(id)
    expect((await app.post({ phoneNumber: OTHER })).status).toBe(201)
  })

  it('with 409 while a call to the number is initiated, ringing or in progress', async () => {
    const app = await start()
    const id = await app.place()
    expect(refusal(await app.post())).toEqual([409, 'call_active'])
    await app.reaches(id, 'ringing')
    expect(refusal(await app.post())).toEqual([409, 'call_active'])
    await app.reaches(id, 'in_progress')
    expect(refusal(await app.post())).toEqual([409, 'call_active'])
    expect((await app.post({ phoneNumber: OTHER })).status).toBe(201)
    app.placed(id)[0]?.leg?.humanHangsUp()
    await app.ended(id)
    expect((await app.post()).status).toBe(201)
  })

  it('never with 409 because of a scheduled one', async () => {
    const app = await start()
    const callAt = '2026-03-21T18:30:00Z'
    await app.place({ callAt })
    await app.place({ callAt })
    expect((await app.post()).status).toBe(201)
    expect((await app.post({ callAt })).status).toBe(201)
  })

  it('with 429 and Retry-After when too many wait for a line', async () => {
    const app = await start({ settings: { 'calls.max_concurrent': 2, 'calls.max_queued': 3 } })
    const numbers = Array.from({ length: 6 }, (_, i) => `+1555123000${i}`)
    const answers: Answer[] = []
    for (const phoneNumber of numbers) answers.push(await app.post({ phoneNumber }))
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201, 201, 429])
    expect(refusal(answers[5] as Answer)).toEqual([429, 'queue_full'])
    expect(Number(answers[5]?.headers.get('retry-after'))).toBeGreaterThan(0)
    const scheduled = await app.post({ phoneNumber: OTHER, callAt: '2026-03-21T18:30:00Z' })
    expect(scheduled.status).toBe(201)
  })

  it('with 503 when no trunk is configured, scheduled or not, naming what mends it', async () => {
    const app = await start({ trunk: false })
    for (const fields of [{}, { callAt: '2026-03-21T18:30:00Z' }]) {
      const answer = await app.post(fields)
      expect(refusal(answer)).toEqual([503, 'no_trunk'])
      expect(answer.text).toContain('[[sip.trunks]]')
    }
  })

  it('with 503 while an engine is away, unless it is scheduled', async () => {
    const app = await start()
    app.engineIs('away')
    await app.run(6000)
    const answer = await app.post()
    expect(refusal(answer)).toEqual([503, 'engines_not_ready'])
    expect(answer.text).toContain('ollama serve')
    expect((await app.post({ callAt: '2026-03-21T18:30:00Z' })).status).toBe(201)
    app.engineIs('ready')
    await app.run(6000)
    expect((await app.post()).status).toBe(201)
  })

  it('with 503 while an engine is not installed, scheduled or not', async () => {
    const app = await start()
    app.engineIs('missing')
    await app.run(6000)
    for (const fields of [{}, { callAt: '2026-03-21T18:30:00Z' }])
      expect(refusal(await app.post(fields))).toEqual([503, 'engines_not_ready'])
  })

  it('with 503 while the database cannot be written, and nothing is dialled', async () => {
    const app = await start()
    app.storageFails((store, method) => store === 'calls' && method === 'create')
    expect(refusal(await app.post())).toEqual([503, 'storage_unavailable'])
    await app.run(60_000)
    expect(app.trunk.placed).toEqual([])
    app.storageMends()
    expect((await app.post()).status).toBe(201)
  })

  it('by the first reason that holds: 401, 400, replay, 503, 402, 409, 429', async () => {
    const settings = { 'calls.max_concurrent': 1, 'calls.max_queued': 0 }
    const app = await start({ settings: { ...settings, 'billing.initial_credit': 1 } })
    const body = { phoneNumber: NUMBER, instructions: 'x' }
    const key = { 'Idempotency-Key': 'first' }
    expect((await app.post(body, key)).status).toBe(201)
    app.engineIs('missing')
    await app.run(6000)
    // By now all of them hold.
    expect((await app.send('POST', '/api/v1/calls', { body: {}, key: null })).status).toBe(401)
    expect((await app.post({ ...body, phoneNumber: '+1900555' }, key)).status).toBe(400)
    expect((await app.post({ ...body, phoneNumber: OUR_NUMBER }, key)).status).toBe(400)
    expect((await app.post(body, key)).status).toBe(201)
    expect(refusal(await app.post({ ...body, name: 'x' }, key))).toEqual([
      409,
      'idempotency_conflict',
    ])
    expect(refusal(await app.post(body))).toEqual([503, 'engines_not_ready'])
    app.engineIs('ready')
    await app.run(6000)
    expect(refusal(await app.post(body))).toEqual([402, 'insufficient_balance'])
    await app.credit(10)
    expect(refusal(await app.post(body))).toEqual([409, 'call_active'])
    expect(refusal(await app.post({ ...body, phoneNumber: OTHER }))).toEqual([429, 'queue_full'])
  })

  it('for its rate last of all', async () => {
    const settings = { 'http.rate_limit': 1, 'billing.initial_credit': 1 }
    const app = await start({ settings })
    const key = { 'Idempotency-Key': 'first' }
    const id = ((await app.post({}, key)).json as { id: string }).id
    for (let i = 0; i < 20; i++) await app.send('GET', '/api/v1/me')
    expect((await app.send('GET', '/api/v1/me')).status).toBe(429)
    expect(await app.post({}, key)).toMatchObject({ status: 201, json: { id } })
    expect(refusal(await app.post())).toEqual([402, 'insufficient_balance'])
    await app.credit(10)
    expect(refusal(await app.post())).toEqual([409, 'call_active'])
    const late = await app.post({ phoneNumber: OTHER })
    expect(refusal(late)).toEqual([429, 'rate_limited'])
    expect(late.headers.get('retry-after')).toBe('1')
    expect(refusal(await app.post({ callAt: '2026-03-21T18:30:00Z' }))).toEqual([
      429,
      'rate_limited',
    ])
    await app.run(2000)
    expect((await app.post({ phoneNumber: OTHER })).status).toBe(201)
  })

  it('never for money when billing is off', async () => {
    const app = await withoutMoney({ settings: { 'billing.enabled': false } })
    expect((await app.post()).status).toBe(201)
  })
})

describe('of many parallel posts to one number', () => {
  it('exactly one is accepted, and one INVITE leaves', async () => {
    const app = await start()
    const answers = await Promise.all(Array.from({ length: 50 }, () => app.post()))
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(49)
    await app.run(10_000)
    expect(app.trunk.placed).toHaveLength(1)
  })

  it('with one Idempotency-Key one is dialled, and every answer is that call or 409', async () => {
    const app = await start()
    const key = { 'Idempotency-Key': 'k' }
    const answers = await Promise.all(Array.from({ length: 50 }, () => app.post({}, key)))
    const accepted = answers.filter(({ status }) => status === 201)
    expect(new Set(accepted.map(({ text }) => text)).size).toBe(1)
    expect(answers.every(({ status }) => status === 201 || status === 409)).toBe(true)
    expect(accepted.filter(({ headers }) => !headers.has('idempotent-replayed'))).toHaveLength(1)
    await app.run(10_000)
    expect(app.trunk.placed).toHaveLength(1)
  })
})

describe('an Idempotency-Key', () => {
  it('brings the first answer again for the same JSON value, and nothing is dialled', async () => {
    const app = await start()
    const key = { 'Idempotency-Key': 'order-17' }
    const first = await app.post({ name: 'Joe', metadata: { a: '1', b: '2' } }, key)
    const id = (first.json as { id: string }).id
    await app.cancel(id)
    await app.ended(id)
    const again = await app.send('POST', '/api/v1/calls', {
      raw: `{ "metadata": {"b":"2", "a":"1"}, "name":"Joe", "instructions":"Order a large pepperoni.", "phoneNumber":"${NUMBER}" }`,
      headers: key,
    })
    expect([again.status, again.text]).toEqual([201, first.text])
    expect(again.headers.get('idempotent-replayed')).toBe('true')
    expect(first.headers.get('idempotent-replayed')).toBeNull()
    await app.run(60_000)
    expect(app.trunk.placed).toHaveLength(1)
  })

  it('with another body is a conflict', async () => {
    const app = await start()
    const key = { 'Idempotency-Key': 'k' }
    await app.post({}, key)
    expect(refusal(await app.post({ name: 'other' }, key))).toEqual([409, 'idempotency_conflict'])
  })

  it('is kept 24 hours, and forgotten after', async () => {
    const app = await start()
    app.trunk.phone(NUMBER, { status: 486 })
    const key = { 'Idempotency-Key': 'k' }
    const first = await app.post({}, key)
    await app.run(24 * 3_600_000 - 1)
    expect((await app.post({}, key)).text).toBe(first.text)
    await app.run(1)
    const later = await app.post({}, key)
    expect(later.status).toBe(201)
    expect(later.text).not.toBe(first.text)
    await app.run(10_000)
    expect(app.trunk.placed).toHaveLength(2)
  })

  it('keeps only a 201: what was refused may be tried again', async () => {
    const app = await withoutMoney()
    const key = { 'Idempotency-Key': 'k' }
    expect((await app.post({}, key)).status).toBe(402)
    await app.credit(10)
    expect((await app.post({}, key)).status).toBe(201)
  })

  it('survives a crash with its call', async () => {
    const app = await start()
    const key = { 'Idempotency-Key': 'k' }
    const first = await app.post({}, key)
    await app.kill()
    await app.restart(1000)
    expect((await app.post({}, key)).text).toBe(first.text)
  })
})
