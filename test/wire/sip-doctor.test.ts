import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createAppliance } from '../../src/appliance.ts'
import type { Probe } from '../../src/core/probe.ts'
import { headerOf } from '../../src/telephony/sip/wire-message.ts'
import type { TrunkOptions } from '../../src/telephony/trunk-options.ts'
import { parse } from '../kit/config.ts'
import { scratchDirectory } from '../kit/peers.ts'
import { type Received, ScriptedUas } from '../kit/scripted-uas.ts'
import { startSipSide, trunkOptions } from '../kit/sip-side.ts'

let provider: ScriptedUas

beforeEach(async () => {
  provider = await ScriptedUas.open()
})

afterEach(() => {
  provider.close()
})

const REGISTERING = { register: true, username: 'alice', password: 's3cret' }

/** What is said of a trunk from beside the server, and how long that took. */
async function look(
  o: Partial<TrunkOptions> = {},
  setup: Parameters<typeof startSipSide>[1] = {},
): Promise<{ probe: Probe | undefined; tookMs: number }> {
  const began = performance.now()
  const trunk = trunkOptions(provider.port, { ...REGISTERING, ...o })
  const side = await startSipSide([trunk], { ...setup, probeOnly: true })
  const [probe] = await side.telephony.trunk.probes()
  await side.telephony.stop()
  return { probe, tookMs: performance.now() - began }
}

const answering =
  (status: number, headers: string[] = []) =>
  (received: Received): void =>
    void provider.reply(received, status, { headers })

describe('a look at a trunk beside the server', () => {
  it.each([200, 403, 404, 405, 483, 503])('takes %i for an answer', async (status) => {
    provider.onMessage = answering(status)
    const { probe, tookMs } = await look()
    expect(probe).toEqual({
      name: 'trunk main',
      state: 'ready',
      reason: `it answers OPTIONS: ${status} Scripted`,
    })
    expect(tookMs).toBeLessThan(1_000)
  })

  it('registers nothing', async () => {
    provider.onMessage = answering(200)
    await look()
    const methods = provider.received.map(({ message }) => message.method)
    expect(methods).toEqual(['OPTIONS'])
    expect(headerOf(provider.received[0]?.message as never, 'contact')).toBeUndefined()
  })

  it('tells a challenge as the answer it is when the credentials do not help', async () => {
    provider.onMessage = answering(401, ['WWW-Authenticate: Digest realm="r", nonce="n"'])
    expect((await look()).probe).toMatchObject({
      state: 'ready',
      reason: 'it answers OPTIONS: 401 Scripted',
    })
  })

  it('says so within three seconds when nothing comes', async () => {
    const { probe, tookMs } = await look()
    expect(probe).toMatchObject({ state: 'away', reason: 'no answer to OPTIONS within 3 s' })
    expect(provider.all('OPTIONS').length).toBeGreaterThan(2)
    expect(tookMs).toBeLessThan(3_500)
  })

  it('says at once that nothing listens there (hkjarral/AVA-AI-Voice-Agent-for-Asterisk#144: all green while broken)', async () => {
    const { port } = provider
    provider.close()
    const { probe, tookMs } = await look({ port })
    expect(probe).toMatchObject({
      state: 'away',
      reason: `nothing listens for SIP at 127.0.0.1 port ${port}`,
    })
    expect(tookMs).toBeLessThan(1_000)
    provider = await ScriptedUas.open()
  })

  it('says that the name does not resolve, or not in time', async () => {
    const lost = async (): Promise<never> => {
      throw new Error('ENOTFOUND')
    }
    expect((await look({ host: 'trunk.test' }, { lookup: lost })).probe).toMatchObject({
      state: 'away',
      reason: 'looking up trunk.test: ENOTFOUND',
    })
    const { probe, tookMs } = await look(
      { host: 'trunk.test' },
      { lookup: () => new Promise(() => {}) },
    )
    expect(probe?.state).toBe('away')
    expect(tookMs).toBeLessThan(3_500)
  })
})

describe('the probes of the appliance', () => {
  it('tell a damaged database as away, and everything else beside it', async () => {
    provider.onMessage = answering(200)
    const scratch = scratchDirectory()
    const dataDir = scratch.path
    writeFileSync(
      join(dataDir, 'landline.db'),
      'this is no database, and longer than a header '.repeat(99),
    )
    const { config } = parse({
      toml: `
data_dir = "${dataDir}"
[[sip.trunks]]
name = "main"
host = "127.0.0.1"
port = ${provider.port}
username = "alice"
password = "s3cret"
register = true
numbers = ["+15550001111"]
`,
    })
    const probes = await createAppliance().probes(config)
    expect(probes.find(({ name }) => name === 'database')).toMatchObject({ state: 'away' })
    expect(probes.find(({ name }) => name === 'trunk main')).toMatchObject({ state: 'ready' })
    expect(probes.length).toBe(6)
    expect(provider.all('REGISTER')).toEqual([])
    scratch.remove()
  })
})
