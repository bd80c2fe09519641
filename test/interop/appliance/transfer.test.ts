import { expect, it } from 'vitest'
import { Appliance } from '../../kit/appliance.ts'
import { endAfterEach } from '../../kit/end-after-each.ts'
import { describeWithPeers } from '../../kit/peers.ts'
import { startSipp } from '../../kit/sipp.ts'

const end = endAfterEach()

const COLLEAGUE = '+15559990000'
const DIALOGUE = [
  'opening',
  '  say I will put you through.',
  '  call transfer_call {}',
  'tool transfer_call',
  '  say It is busy. Goodbye.',
  '  hang up',
  'summary',
  '  say They were put through.',
  '',
].join('\n')

async function setup(scenario: string): Promise<{ appliance: Appliance; exit(): Promise<number> }> {
  const sipp = await startSipp(scenario)
  end(() => sipp.stop())
  const appliance = await Appliance.create({ trunk: { port: sipp.port }, dialogue: DIALOGUE })
  end(() => appliance.remove())
  await appliance.start()
  return { appliance, exit: () => sipp.exit() }
}

describeWithPeers('the executable, sipp and transferTo', ['sipp'], () => {
  it('puts the person through and reports the call as transferred', async () => {
    const { appliance, exit } = await setup('dialog-refer')
    const id = await appliance.call({ firstMessage: null, transferTo: COLLEAGUE })
    expect(await appliance.ended(id)).toMatchObject({
      status: 'completed',
      endReason: 'transferred',
      transferTo: COLLEAGUE,
      transcript: [{ role: 'agent', text: 'I will put you through.' }],
    })
    expect(await exit()).toBe(0)
  })

  it('stays with the person when the colleague is busy', async () => {
    const { appliance, exit } = await setup('dialog-refer-busy')
    const id = await appliance.call({ firstMessage: null, transferTo: COLLEAGUE })
    const call = await appliance.ended(id)
    expect(call).toMatchObject({ status: 'completed', endReason: 'agent_hangup' })
    expect(JSON.stringify(call.transcript)).toContain('It is busy.')
    expect(await exit()).toBe(0)
  })
})
