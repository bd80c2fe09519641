import { describe, expect, it } from 'vitest'
import { rms } from '../../../src/core/pcm.ts'
import type { Appliance, CallRow } from '../../kit/appliance.ts'
import { awaited } from '../../kit/awaited.ts'
import { type CallingPhone, openCallingPhone } from '../../kit/calling-phone.ts'
import { endAfterEach } from '../../kit/end-after-each.ts'
import { OUR_NUMBER } from '../../kit/landline-toml.ts'
import { describeWithPeers, freePort } from '../../kit/peers.ts'
import { type Road, startRoad } from '../../kit/road.ts'
import { startSipp } from '../../kit/sipp.ts'
import { isSigned } from '../../kit/webhook-receiver.ts'

const end = endAfterEach()
const CALLER = '+15557654321'
const FIELDS = { instructions: 'Take orders.', firstMessage: 'Hello, this is the appliance.' }

async function setup(o: Parameters<typeof startRoad>[1] = {}): Promise<Road> {
  const road = await startRoad(end, o)
  const path = `/api/v1/numbers/${OUR_NUMBER}`
  const { status, body } = await road.appliance.request('PUT', path, FIELDS)
  if (status !== 200) throw new Error(`PUT ${path}: ${status} ${JSON.stringify(body)}`)
  await enginesReady(road.appliance)
  return road
}

/** A call that comes before the engines have said that they are ready is 480. */
function enginesReady({ url }: Appliance): Promise<void> {
  return awaited(
    'the engines',
    15_000,
    async () =>
      ((await (await fetch(`${url}/readyz`)).json()) as { status: string }).status === 'ready',
  )
}

async function callingPhone(host?: string): Promise<CallingPhone> {
  const phone = await openCallingPhone(host)
  end(() => phone.close())
  return phone
}

async function inbound(appliance: Appliance): Promise<CallRow[]> {
  const { body } = await appliance.request('GET', '/api/v1/calls?direction=inbound')
  return body.data as CallRow[]
}

async function newest(appliance: Appliance): Promise<string> {
  await awaited('a call', 5_000, async () => (await inbound(appliance)).length > 0)
  return (await inbound(appliance))[0]?.id ?? ''
}

describe('the executable, called on its own number,', () => {
  it('rings, answers, says its first message, and reports the call when they hang up', async () => {
    const { appliance, receiver, secret } = await setup()
    const phone = await callingPhone()
    const call = phone.call({ port: appliance.sipPort, to: OUR_NUMBER, from: CALLER })
    const answer = await call.final()
    expect(answer.message.status).toBe(200)
    expect(phone.uas.all('SIP 180').length).toBeGreaterThanOrEqual(1)
    const id = await newest(appliance)
    await appliance.until(id, ({ transcript }) => transcript.length > 0)
    await call.hangUp()
    const row = await appliance.ended(id)
    expect(row).toMatchObject({
      direction: 'inbound',
      status: 'completed',
      endReason: 'human_hangup',
      toNumber: OUR_NUMBER,
      fromNumber: CALLER,
      ...FIELDS,
      transcript: [{ role: 'agent', text: 'Hello, this is the appliance.' }],
    })
    expect(row.cost).toBe(1)
    expect(rms(phone.sound.sound('PCMU'))).toBeGreaterThan(100)
    const [post] = await receiver.wait(id)
    expect(post?.event).toBe('call.completed')
    expect(post?.call).toMatchObject({ direction: 'inbound', status: 'completed' })
    expect(post && isSigned(post, secret)).toBe(true)
    const me = await appliance.request('GET', '/api/v1/me')
    expect(me.body.balance).toBe(499)
  })

  it('answers 404 for any other number, without ringing', async () => {
    const { appliance } = await setup()
    const phone = await callingPhone()
    const call = phone.call({ port: appliance.sipPort, to: '+15550009999' })
    expect((await call.final()).message.status).toBe(404)
    expect(phone.uas.all('SIP 180')).toEqual([])
    expect(await inbound(appliance)).toEqual([])
  })

  it('does not answer a stranger at all', async () => {
    const { appliance } = await setup({ settings: { 'sip.host': '0.0.0.0' } })
    const stranger = await callingPhone('127.0.0.9')
    const call = stranger.call({ port: appliance.sipPort, to: OUR_NUMBER })
    await expect(call.final(1_500)).rejects.toThrow('nothing came')
    expect(await inbound(appliance)).toEqual([])
  })

  it('hangs up at a SIGTERM', async () => {
    const { appliance } = await setup()
    const phone = await callingPhone()
    const call = phone.call({ port: appliance.sipPort, to: OUR_NUMBER })
    await call.final()
    await appliance.answered(await newest(appliance))
    const { code, ms } = await appliance.terminate()
    expect(code).toBe(0)
    expect(ms).toBeLessThan(10_000)
    expect(call.byes()).toBeGreaterThanOrEqual(1)
  })

  it('killed with SIGKILL during the call hangs up at its next start and closes it as interrupted', async () => {
    const { appliance, receiver } = await setup()
    const phone = await callingPhone()
    const call = phone.call({ port: appliance.sipPort, to: OUR_NUMBER })
    await call.final()
    const id = await newest(appliance)
    await appliance.until(id, ({ transcript }) => transcript.length > 0)
    await appliance.kill()
    expect(call.byes()).toBe(0)
    await appliance.start()
    await awaited('a BYE', 5_000, () => call.byes() > 0)
    expect(await appliance.ended(id)).toMatchObject({
      status: 'failed',
      endReason: 'interrupted',
      transcript: [{ role: 'agent', text: 'Hello, this is the appliance.' }],
    })
    const [post] = await receiver.wait(id)
    expect(post?.call).toMatchObject({ direction: 'inbound', endReason: 'interrupted' })
    await enginesReady(appliance)
    const again = phone.call({ port: appliance.sipPort, to: OUR_NUMBER })
    expect((await again.final()).message.status).toBe(200)
    await again.hangUp()
  })
})

describeWithPeers('the executable, called by sipp,', ['sipp'], () => {
  it('is asserted the caller, called without a plus, and hung up on', async () => {
    const { appliance } = await setup()
    const calls = { number: OUR_NUMBER.slice(1), port: appliance.sipPort }
    const sipp = await startSipp('calls-in', { port: await freePort(), calls })
    end(() => sipp.stop())
    expect(await sipp.exit()).toBe(0)
    const row = await appliance.ended(await newest(appliance))
    expect(row).toMatchObject({
      status: 'completed',
      endReason: 'human_hangup',
      toNumber: OUR_NUMBER,
      fromNumber: '+442071234567',
      duration: 2,
    })
  })
})
