import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { headerOf } from '../../src/telephony/sip/wire-message.ts'
import type { TrunkOptions } from '../../src/telephony/trunk-options.ts'
import { type Authority, createAuthority } from '../kit/certificates.ts'
import { hasKamailioTls, type KamailioOptions, PROVIDER, startKamailio } from '../kit/kamailio.ts'
import {
  describeWithPeers,
  freePort,
  type Peer,
  scratchDirectory,
  startPeer,
  untilBound,
} from '../kit/peers.ts'
import { ANSWER_SDP, ScriptedUas } from '../kit/scripted-uas.ts'
import { type SipSide, startSipSide, trunkOptions } from '../kit/sip-side.ts'

const ends: (() => unknown)[] = []

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

type Given = Omit<KamailioOptions, 'uasPort'> & { scenario?: string }

/** kamailio with digest, and behind it sipp with `scenario`. */
async function startTrunk(o: Given): Promise<{ port: number; sipp: Peer | null }> {
  const uasPort = await freePort()
  const sipp = o.scenario ? await startSipp(o.scenario, uasPort) : null
  const kamailio = await startKamailio({ ...o, uasPort })
  ends.push(() => kamailio.stop())
  return { port: kamailio.port, sipp }
}

async function startSipp(scenario: string, port: number): Promise<Peer> {
  const scratch = scratchDirectory()
  ends.push(() => scratch.remove())
  const file = join(scratch.path, 'scenario.xml')
  writeFileSync(file, readFileSync(join(import.meta.dirname, 'sipp', `${scenario}.xml`), 'utf8'))
  const uas = ['-sf', file, '-i', '127.0.0.1', '-p', String(port), '-mi', '127.0.0.1']
  const limits = ['-mp', String(await freePort()), '-m', '1', '-nostdin', '-timeout', '20s']
  const sipp = startPeer('sipp', [...uas, ...limits], scratch.path)
  ends.push(() => sipp.stop())
  await untilBound(port)
  return sipp
}

async function startSide(
  port: number,
  o: Partial<TrunkOptions>,
  sip: Parameters<typeof startSipSide>[1] = {},
): Promise<SipSide> {
  const side = await startSipSide([trunkOptions(port, { ...PROVIDER, ...o })], {
    lookup: async () => [{ address: '127.0.0.1', family: 4 }],
    ...sip,
  })
  ends.push(() => side.telephony.stop())
  return side
}

async function stateOf(side: SipSide): Promise<string | undefined> {
  const [probe] = await side.telephony.trunk.probes()
  return probe?.state === 'ready' ? 'ready' : probe?.reason
}

/** A call that we end, and one that the other side ends. */
async function callBothWays(given: Given, o: Partial<TrunkOptions>): Promise<void> {
  const first = await startTrunk({ ...given, scenario: 'answers' })
  const side = await startSide(first.port, o)
  const call = side.dial()
  const dialed = await call.dialed
  if (!('answered' in dialed)) throw new Error(JSON.stringify(dialed))
  expect(call.rang()).toBe(1)
  expect(side.states.map(({ cseq }) => cseq)).toEqual([1, 2])
  expect((dialed.state.routes as string[])[0]).toContain(`127.0.0.1:${first.port}`)
  await dialed.answered.hangup()
  expect(await first.sipp?.exit()).toBe(0)
  const second = await startTrunk({ ...given, scenario: 'hangs-up' })
  const other = await startSide(second.port, o)
  const answered = await other.dial().dialed
  if (!('answered' in answered)) throw new Error(JSON.stringify(answered))
  expect(await answered.answered.ended).toEqual({ by: 'human' })
  expect(await second.sipp?.exit()).toBe(0)
}

describeWithPeers('kamailio', ['kamailio', 'sipp'], () => {
  it.each([
    ['MD5 with qop', { qop: true }],
    ['MD5 without qop', { qop: false }],
    ['SHA-256', { algorithm: 'SHA-256' }],
  ] as const)('registers us by digest with %s', async (_how, given) => {
    const { port } = await startTrunk(given)
    const side = await startSide(port, { register: true })
    await expect.poll(() => stateOf(side), { timeout: 4_000 }).toBe('ready')
  })

  it('refuses a wrong password, once', async () => {
    const { port } = await startTrunk({})
    const side = await startSide(port, { password: 'wrong', register: true })
    await expect
      .poll(() => stateOf(side), { timeout: 4_000 })
      .toContain('REGISTER was refused: 401')
    expect(await side.dial().dialed).toMatchObject({ failed: 'trunk_error', sipCode: 407 })
    expect(side.states.length).toBe(2)
  })

  it('registers us again after its nonce went stale', async () => {
    const { port } = await startTrunk({ nonceSeconds: 1 })
    const side = await startSide(port, { register: true, expiresSeconds: 2 })
    await expect.poll(() => stateOf(side), { timeout: 4_000 }).toBe('ready')
    await expect
      .poll(() => side.telephony.stats().trunks[0]?.registrations, { timeout: 6_000 })
      .toBeGreaterThan(2)
    expect(await stateOf(side)).toBe('ready')
  })

  it.each([
    ['MD5', {}],
    ['SHA-256', { algorithm: 'SHA-256' }],
  ] as const)('carries calls with %s and Record-Route', async (_how, given) => {
    await callBothWays(given, {})
  })

  it('carries calls over TCP, and passes one to us over the connection that we registered over', async () => {
    await callBothWays({ transport: 'tcp' }, { transport: 'tcp' })
    await callUs({ transport: 'tcp' }, { transport: 'tcp' })
  })
})

/** Somebody calls alice through kamailio. */
async function callUs(given: Given, o: Partial<TrunkOptions>): Promise<void> {
  const { port } = await startTrunk(given)
  let called = 0
  const side = await startSide(
    port,
    { ...o, register: true },
    {
      onCall: (call) => {
        called++
        call.reject(486)
      },
    },
  )
  await expect.poll(() => stateOf(side), { timeout: 4_000 }).toBe('ready')
  const caller = await ScriptedUas.open()
  ends.push(() => caller.close())
  const lines = [
    'INVITE sip:alice@trunk.test SIP/2.0',
    `Via: SIP/2.0/UDP 127.0.0.1:${caller.port};branch=z9hG4bKcaller;rport`,
    'From: <sip:+15551234567@trunk.test>;tag=caller',
    'To: <sip:alice@trunk.test>',
    'Call-ID: inbound',
    'CSeq: 1 INVITE',
    'Max-Forwards: 70',
    `Contact: <sip:caller@127.0.0.1:${caller.port}>`,
    'Content-Type: application/sdp',
    `Content-Length: ${ANSWER_SDP().length}`,
  ]
  caller.send(`${lines.join('\r\n')}\r\n\r\n${ANSWER_SDP()}`, { host: '127.0.0.1', port })
  const busy = await caller.wait('SIP 486')
  expect(headerOf(busy.message, 'via')).not.toContain('landline-way')
  expect(called).toBe(1)
}

const tls = hasKamailioTls() || process.env.REQUIRE_PEERS === '1' ? describeWithPeers : skipTls

function skipTls(title: string, _programs: readonly string[], tests: () => void): void {
  describe.skip(`${title} (kamailio-tls-modules not installed)`, tests)
}

tls('kamailio over TLS with its own authority', ['kamailio', 'sipp', 'openssl'], () => {
  let authority: Authority

  beforeAll(() => {
    authority = createAuthority()
  })
  afterAll(() => authority.remove())

  it('carries calls, and passes one to us over the connection that we registered over', async () => {
    const given = { transport: 'tls', certificate: authority.issue('DNS:trunk.test') } as const
    const trunk = { transport: 'tls', host: 'trunk.test', caFile: authority.caFile } as const
    await callBothWays(given, trunk)
    await callUs(given, trunk)
  })

  it('is not registered with when its certificate names somebody else', async () => {
    const certificate = authority.issue('DNS:elsewhere.test')
    const { port } = await startTrunk({ transport: 'tls', certificate })
    const side = await startSide(port, {
      transport: 'tls',
      host: 'trunk.test',
      caFile: authority.caFile,
      register: true,
    })
    await expect
      .poll(() => stateOf(side), { timeout: 4_000 })
      .toContain('certificate is for another name')
  })
})
