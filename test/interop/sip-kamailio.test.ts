import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import {
  describeWithPeers,
  freePort,
  type Peer,
  scratchDirectory,
  startPeer,
  untilBound,
} from '../kit/peers.ts'
import { type SipSide, startSipSide, trunkOptions } from '../kit/sip-side.ts'

const ends: (() => unknown)[] = []

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

interface Trunk {
  port: number
  sipp: Peer | null
}

/** kamailio with digest, and behind it sipp with `scenario`. */
async function startTrunk(o: { qop: boolean; scenario?: string }): Promise<Trunk> {
  const [port, uasPort, media] = [await freePort(), await freePort(), await freePort()]
  const scratch = scratchDirectory()
  ends.push(() => scratch.remove())
  const config = readFileSync(join(import.meta.dirname, 'kamailio.cfg'), 'utf8')
    .replaceAll('SIP_PORT', String(port))
    .replaceAll('UAS_PORT', String(uasPort))
    .replaceAll('QOP', o.qop ? '1' : '0')
  const file = join(scratch.path, 'kamailio.cfg')
  writeFileSync(file, config)
  const args = ['-f', file, '-DD', '-E', '-m', '32', '-M', '4', '-Y', scratch.path]
  const kamailio = startPeer('kamailio', [...args, '-P', join(scratch.path, 'kamailio.pid')])
  ends.push(() => kamailio.stop())
  let sipp: Peer | null = null
  if (o.scenario) {
    const scenario = join(import.meta.dirname, 'sipp', `${o.scenario}.xml`)
    const uas = ['-sf', scenario, '-i', '127.0.0.1', '-p', String(uasPort), '-mi', '127.0.0.1']
    sipp = startPeer(
      'sipp',
      [...uas, '-mp', String(media), '-m', '1', '-nostdin', '-timeout', '20s'],
      scratch.path,
    )
    const started = sipp
    ends.push(() => started.stop())
    await untilBound(uasPort)
  }
  await untilBound(port).catch((error) => {
    throw new Error(`${error.message}; kamailio said: ${kamailio.output().slice(-1_000)}`)
  })
  return { port, sipp }
}

async function startSide(port: number, password: string, register: boolean): Promise<SipSide> {
  const side = await startSipSide([
    trunkOptions(port, { domain: 'trunk.test', username: 'alice', password, register }),
  ])
  ends.push(() => side.telephony.stop())
  return side
}

async function stateOf(side: SipSide): Promise<string | undefined> {
  const [probe] = await side.telephony.trunk.probes()
  return probe?.state === 'ready' ? 'ready' : probe?.reason
}

describeWithPeers('kamailio', ['kamailio', 'sipp'], () => {
  it.each([
    ['with qop', true],
    ['without qop', false],
  ])('registers us by digest %s', async (_how, qop) => {
    const { port } = await startTrunk({ qop })
    const side = await startSide(port, 's3cret', true)
    await expect.poll(() => stateOf(side), { timeout: 4_000 }).toBe('ready')
  })

  it('refuses a wrong password, once', async () => {
    const { port } = await startTrunk({ qop: true })
    const side = await startSide(port, 'wrong', true)
    await expect
      .poll(() => stateOf(side), { timeout: 4_000 })
      .toContain('REGISTER was refused: 401')
    expect(await side.dial().dialed).toMatchObject({ failed: 'trunk_error', sipCode: 407 })
    expect(side.states.length).toBe(2)
  })

  it('carries a call with digest and Record-Route that we end', async () => {
    const { port, sipp } = await startTrunk({ qop: true, scenario: 'answers' })
    const side = await startSide(port, 's3cret', false)
    const call = side.dial()
    const dialed = await call.dialed
    if (!('answered' in dialed)) throw new Error(JSON.stringify(dialed))
    expect(call.rang()).toBe(1)
    expect(side.states.map(({ cseq }) => cseq)).toEqual([1, 2])
    expect(dialed.state.routes).toEqual([expect.stringContaining(`127.0.0.1:${port}`)])
    await dialed.answered.hangup()
    expect(await sipp?.exit()).toBe(0)
  })

  it('carries a call that the other side ends', async () => {
    const { port, sipp } = await startTrunk({ qop: false, scenario: 'hangs-up' })
    const side = await startSide(port, 's3cret', false)
    const dialed = await side.dial().dialed
    if (!('answered' in dialed)) throw new Error(JSON.stringify(dialed))
    expect(await dialed.answered.ended).toEqual({ by: 'human' })
    expect(await sipp?.exit()).toBe(0)
  })
})
