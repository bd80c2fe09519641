import { expect, it } from 'vitest'
import { Appliance, type ApplianceOptions, CALLEE } from '../../kit/appliance.ts'
import { endAfterEach } from '../../kit/end-after-each.ts'
import { OUR_NUMBER } from '../../kit/landline-toml.ts'
import { describeWithPeers } from '../../kit/peers.ts'
import { type Sipp, startSipp } from '../../kit/sipp.ts'

const end = endAfterEach()

async function setup(
  scenario: string,
  o: ApplianceOptions & { status?: number; loseFirst?: boolean } = {},
): Promise<{ sipp: Sipp; appliance: Appliance }> {
  const sipp = await startSipp(scenario, o)
  end(() => sipp.stop())
  const appliance = await Appliance.create({ trunk: { port: sipp.port }, ...o })
  end(() => appliance.remove())
  await appliance.start()
  return { sipp, appliance }
}

describeWithPeers('the executable and sipp', ['sipp'], () => {
  it('rings, is answered and hung up on: completed by the human, and costs a cent', async () => {
    const { sipp, appliance } = await setup('hangs-up')
    const call = await appliance.ended(await appliance.call())
    expect(call).toMatchObject({
      status: 'completed',
      endReason: 'human_hangup',
      toNumber: CALLEE,
      fromNumber: OUR_NUMBER,
      duration: 1,
      cost: 1,
    })
    expect(await sipp.exit()).toBe(0)
    const me = await appliance.request('GET', '/api/v1/me')
    expect(me.body.balance).toBe(499)
  })

  it('keeps the ladder of an answered call, and how its sound fared', async () => {
    const { appliance } = await setup('hangs-up')
    const { id } = await appliance.ended(await appliance.call())
    const { body } = await appliance.request('GET', `/api/v1/calls/${id}/trace`)
    const [trace, ...more] = body.data as {
      messages: { direction: string; summary: string }[]
      media: object
    }[]
    expect(more).toEqual([])
    const ladder = trace?.messages.map(({ direction, summary }) => `${direction} ${summary}`) ?? []
    expect(ladder[0]).toBe('sent INVITE')
    expect(ladder.slice(-3)).toEqual(['sent ACK', 'received BYE', 'sent 200 OK (BYE)'])
    expect(trace?.media).toMatchObject({ codec: 'PCMU', ptimeMs: 20, packetsReceived: 0 })
  })

  it('sends the BYE itself when the model ends the call', async () => {
    const { sipp, appliance } = await setup('answers', {
      dialogue: 'opening\n  say Goodbye.\n  hang up\nsummary\n  say It was short.\n',
    })
    const call = await appliance.ended(await appliance.call({ firstMessage: null }))
    expect(call).toMatchObject({
      status: 'completed',
      endReason: 'agent_hangup',
      transcript: [{ role: 'agent', text: 'Goodbye.' }],
    })
    expect(call.summary).toContain('Goodbye.')
    expect(await sipp.exit()).toBe(0)
  })

  it.each([
    [486, 'busy', null],
    [404, 'failed', 'rejected'],
    [503, 'failed', 'trunk_error'],
  ])('is refused with %i: %s, %s, and costs nothing', async (status, outcome, endReason) => {
    const { sipp, appliance } = await setup('refuses', { status })
    const call = await appliance.ended(await appliance.call())
    const nothing = { startedAt: null, duration: 0, cost: 0, transcript: [] }
    expect(call).toMatchObject({ status: outcome, endReason, sipCode: status, ...nothing })
    expect(await sipp.exit()).toBe(0)
  })

  it('gives up with a CANCEL when nobody answers while it rings', async () => {
    const { sipp, appliance } = await setup('never-answers', {
      settings: { 'calls.ring_timeout': '1500ms' },
    })
    const id = await appliance.call()
    await appliance.until(id, ({ status }) => status === 'ringing')
    const call = await appliance.ended(id)
    expect(call).toMatchObject({ status: 'no_answer', endReason: null, startedAt: null, cost: 0 })
    expect(await sipp.exit()).toBe(0)
  })

  it('sends the INVITE again when the first is lost', async () => {
    const { sipp, appliance } = await setup('refuses', { status: 486, loseFirst: true })
    const call = await appliance.ended(await appliance.call())
    expect(call).toMatchObject({ status: 'busy', sipCode: 486 })
    expect(await sipp.exit()).toBe(0)
  })
})
