import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { PROVIDER, startKamailio } from '../kit/kamailio.ts'
import { createNat, type Nat, whyNoNat } from '../kit/nat.ts'
import { findProgram, freePort, type Peer } from '../kit/peers.ts'

const KIT = join(import.meta.dirname, '../kit')
const ends: (() => unknown)[] = []

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

type Event = Record<string, unknown> & { is: string }

function eventsOf(peer: Peer): Event[] {
  const lines = peer.output().split('\n')
  return lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Event)
}

const eventOf = (peer: Peer, is: string): Event | undefined =>
  eventsOf(peer).find((event) => event.is === is)

/** A phone at home, and kamailio and a far end out in the world. */
async function setup(o: {
  randomPorts: boolean
  mode: 'sdp' | 'symmetric'
  transport?: 'udp' | 'tcp'
}): Promise<{ nat: Nat; home: Peer; far: Peer }> {
  const nat = createNat(o)
  ends.push(() => nat.remove())
  const uasPort = await freePort()
  const { transport = 'udp' } = o
  const place = { host: nat.farHost, start: nat.startFar }
  const kamailio = await startKamailio({ uasPort, place, transport })
  ends.push(() => kamailio.stop())
  const farArgs = [nat.farHost, String(uasPort), String(kamailio.port), o.mode]
  const far = nat.startFar(process.execPath, [join(KIT, 'nat-far-end.ts'), ...farArgs])
  ends.push(() => far.stop())
  await Bun.sleep(500)
  const options = {
    ...PROVIDER,
    host: nat.farHost,
    port: kamailio.port,
    register: true,
    transport,
  }
  const home = nat.startAtHome(process.execPath, [
    join(KIT, 'nat-home.ts'),
    JSON.stringify(options),
  ])
  ends.push(() => home.stop())
  await home.exit(20_000)
  await expect.poll(() => eventOf(far, 'ended'), { timeout: 5_000 }).toBeDefined()
  return { nat, home, far }
}

const missing = findProgram('kamailio') === null ? 'kamailio not installed' : whyNoNat()
const title = 'behind a router that masquerades, with no open port'

if (missing !== null && process.env.REQUIRE_PEERS === '1')
  it(`${title} (${missing})`, () => {
    throw new Error(`REQUIRE_PEERS=1, but ${missing}`)
  })

describe.skipIf(missing !== null)(missing === null ? title : `${title} (${missing})`, () => {
  it.each([
    ['that keeps ports, sound sent to where our SDP says', false, 'sdp', 'udp'],
    ['that changes every port, sound sent to where ours comes from', true, 'symmetric', 'udp'],
    ['that changes every port, over TCP', true, 'symmetric', 'tcp'],
  ] as const)(
    '%s: registered, called and heard both ways (livekit/sip#208, livekit/sip#424, livekit/sip#141, dograh-hq/dograh#794)',
    async (_how, randomPorts, mode, transport) => {
      const { nat, home, far } = await setup({ randomPorts, mode, transport })
      expect(eventOf(home, 'registered')).toMatchObject({ state: 'ready' })
      // A call came in through the hole that the registration keeps open.
      expect(eventOf(far, 'reached')).toMatchObject({ status: 486 })
      expect(eventOf(home, 'called')).toMatchObject({ called: true })
      // What we tell of ourselves is how the world sees us (arnonym/ha-plugins#95: the LAN address in c=).
      const call = eventOf(far, 'called')
      expect(call?.contact).toContain(`@${nat.publicHost}:`)
      expect(call?.offered).toMatchObject({ host: nat.publicHost })
      expect(eventOf(home, 'heard')?.amplitude).toBeGreaterThan(5_000)
      const ended = eventOf(far, 'ended')
      expect(ended?.amplitude).toBeGreaterThan(5_000)
      expect(ended?.source).toMatchObject({ host: nat.publicHost })
    },
  )
})
