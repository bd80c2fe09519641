import { expect, it } from 'vitest'
import { Appliance } from '../../kit/appliance.ts'
import { awaited } from '../../kit/awaited.ts'
import { startBaresip } from '../../kit/baresip.ts'
import { type Authority, createAuthority } from '../../kit/certificates.ts'
import { endAfterEach } from '../../kit/end-after-each.ts'
import { hasKamailioTls, PROVIDER, startKamailio } from '../../kit/kamailio.ts'
import { describeWithPeers, freePort } from '../../kit/peers.ts'
import { startSipp } from '../../kit/sipp.ts'

const end = endAfterEach()

const SHORT = 'opening\n  say Goodbye.\n  hang up\nsummary\n  say It was short.\n'

async function setup(o: {
  uasPort: number
  password?: string
  authority?: Authority
}): Promise<Appliance> {
  const certificate = o.authority?.issue('IP:127.0.0.1')
  const secure = certificate ? ({ transport: 'tls', certificate } as const) : {}
  const kamailio = await startKamailio({ uasPort: o.uasPort, ...secure })
  end(() => kamailio.stop())
  const password = o.password ?? PROVIDER.password
  const trunk = { ...PROVIDER, password, port: kamailio.port, register: true }
  const appliance = await Appliance.create({
    trunk: o.authority ? { ...trunk, transport: 'tls', ca_file: o.authority.caFile } : trunk,
    dialogue: SHORT,
  })
  end(() => appliance.remove())
  await appliance.start()
  return appliance
}

/** What readiness says of the trunk, once it holds `reason`. */
async function untilTrunkSays(appliance: Appliance, reason: RegExp): Promise<void> {
  let said = ''
  await awaited(
    () => `${reason} of the trunk; it said ${said}`,
    5_000,
    async () => {
      said = JSON.stringify((await appliance.request('GET', '/readyz')).body)
      return reason.test(said)
    },
  )
}

describeWithPeers('the executable, kamailio and sipp', ['kamailio', 'sipp'], () => {
  it('registers and calls by digest through the proxy, and ends the call', async () => {
    const sipp = await startSipp('answers')
    end(() => sipp.stop())
    const appliance = await setup({ uasPort: sipp.port })
    await untilTrunkSays(appliance, /"registered"/)
    const call = await appliance.ended(await appliance.call({ firstMessage: null }))
    expect(call).toMatchObject({ status: 'completed', endReason: 'agent_hangup' })
    expect(await sipp.exit()).toBe(0)
    expect(appliance.log).not.toContain(PROVIDER.password)
  })

  it.skipIf(!hasKamailioTls() && process.env.REQUIRE_PEERS !== '1')(
    'registers and calls over TLS under an authority of its own (kamailio-tls-modules)',
    async () => {
      const authority = createAuthority()
      end(() => authority.remove())
      const sipp = await startSipp('answers')
      end(() => sipp.stop())
      const appliance = await setup({ uasPort: sipp.port, authority })
      await untilTrunkSays(appliance, /"registered"/)
      expect(await appliance.metrics()).toContain('landline_trunk_registered{trunk="main"} 1')
      const call = await appliance.ended(await appliance.call({ firstMessage: null }))
      expect(call).toMatchObject({ status: 'completed', endReason: 'agent_hangup' })
      expect(await sipp.exit()).toBe(0)
    },
  )

  it('with a wrong password fails with trunk_error and lives', async () => {
    const appliance = await setup({ uasPort: await freePort(), password: 'wr0ng-password' })
    await untilTrunkSays(appliance, /REGISTER was refused: 401/)
    const call = await appliance.ended(await appliance.call())
    expect(call).toMatchObject({ status: 'failed', endReason: 'trunk_error', sipCode: 407 })
    expect(appliance.running).toBe(true)
    expect(appliance.log).not.toContain('wr0ng-password')
  })
})

describeWithPeers('the executable, kamailio and baresip', ['kamailio', 'baresip'], () => {
  it('calls a human behind the proxy', async () => {
    const number = '+15551234567'
    const baresip = await startBaresip({ number, voice: new Int16Array(8_000 * 60) })
    end(() => baresip.remove())
    end(() => baresip.stop())
    const appliance = await setup({ uasPort: baresip.port })
    const call = await appliance.ended(await appliance.call({ firstMessage: null }))
    expect(call).toMatchObject({
      status: 'completed',
      endReason: 'agent_hangup',
      transcript: [{ role: 'agent', text: 'Goodbye.' }],
    })
    await baresip.stop()
    expect(Math.max(...baresip.heard())).toBeGreaterThan(2_000)
  })
})
