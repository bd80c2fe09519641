import { describe, expect, it } from 'vitest'
import { SimClock, settle } from '../../../test/kit/sim-clock.ts'
import { trunkOptions } from '../../../test/kit/sip-side.ts'
import { createIds } from '../../core/ids.ts'
import type { Dns } from './dns.ts'
import { HostNames } from './host-names.ts'
import { knownHop, nextHop } from './next-hop.ts'
import type { Endpoint } from './transport.ts'

/** Public, as the documentation's own addresses do not count. Nothing is sent there. */
const UDP: Endpoint = { host: '45.0.0.9', port: 5060 }
const TCP: Endpoint = { ...UDP, protocol: 'TCP' }
const TLS: Endpoint = {
  host: '45.0.0.9',
  port: 5061,
  protocol: 'TLS',
  tls: { trunk: 'main', name: 'sip.test' },
}

/** `edge.test` is the one name that resolves. */
function deps(): Parameters<typeof nextHop>[2] {
  const clock = new SimClock()
  const boundTo = '0.0.0.0'
  const dns: Dns = {
    addresses: async (name) => {
      if (name !== 'edge.test') throw new Error('ENOTFOUND')
      return [{ address: '45.0.0.20', family: 4 }]
    },
    srv: async () => [],
    naptr: async () => [],
  }
  const ids = createIds(clock, (n) => new Uint8Array(n))
  const names = new HostNames({ clock, ids, dns, boundTo })
  return { names, boundTo, options: trunkOptions(5060, { host: 'sip.test', domain: 'home.test' }) }
}

function hop(target: string, destination = UDP, routes: string[] = []): Promise<Endpoint> {
  return nextHop({ routes, target }, destination, deps())
}

describe('nextHop', () => {
  it('is the first route, else the target', async () => {
    expect(await hop('sip:a@45.0.0.5')).toEqual({ host: '45.0.0.5', port: 5060 })
    expect(await hop('sip:a@45.0.0.5', UDP, ['<sip:45.0.0.6:5070;lr>'])).toEqual({
      host: '45.0.0.6',
      port: 5070,
    })
  })

  it('follows the transport that a URI names', async () => {
    const target = 'sip:a@45.0.0.5:5080;transport=tcp'
    expect(await hop(target)).toEqual({ host: '45.0.0.5', port: 5080, protocol: 'TCP' })
    expect(await hop('sips:a@45.0.0.5')).toMatchObject({ port: 5061, protocol: 'TLS' })
  })

  it('is the trunk itself for its names, and for what it cannot find', async () => {
    for (const target of ['sip:x@sip.test', 'sip:x@HOME.test:5099', 'sip:x@gone.test', 'tel:+1555'])
      expect(await hop(target)).toBe(UDP)
    expect(await hop('sip:x@edge.test')).toEqual({ host: '45.0.0.20', port: 5060 })
  })

  it('is the trunk for an inner address of a PBX behind NAT (livekit/sip#424, livekit/sip#141)', async () => {
    expect(await hop('sip:x@192.168.178.1:5060')).toBe(UDP)
  })

  it('keeps to the connection where a URI names no way, and uses it again where it names the same', async () => {
    expect(await hop('sip:x@45.0.0.5:5060', TCP)).toBe(TCP)
    expect(await hop('sip:x@45.0.0.9:5060;transport=tcp', TCP)).toBe(TCP)
    expect(await hop('sip:x@45.0.0.9:5061;transport=tls', TLS)).toBe(TLS)
  })

  it('never leads from TLS to something open', async () => {
    for (const way of ['udp', 'tcp'])
      expect(await hop(`sip:x@45.0.0.5:5060;transport=${way}`, TLS)).toBe(TLS)
  })
})

describe('knownHop', () => {
  const meanwhile: Endpoint = { host: '45.0.0.30', port: 5060 }

  it('is where the answer came from until the name is known', async () => {
    const d = deps()
    const now = (target: string): Endpoint =>
      knownHop({ routes: [], target }, { destination: UDP, meanwhile }, d)
    expect(now('sip:x@edge.test')).toBe(meanwhile)
    expect(now('sip:x@gone.test')).toBe(meanwhile)
    await settle()
    expect(now('sip:x@edge.test')).toEqual({ host: '45.0.0.20', port: 5060 })
    expect(now('sip:x@gone.test')).toBe(meanwhile)
  })

  it('is an address at once, and the trunk for its own names', () => {
    const now = (target: string): Endpoint =>
      knownHop({ routes: [], target }, { destination: UDP, meanwhile }, deps())
    expect(now('sip:a@45.0.0.5')).toEqual({ host: '45.0.0.5', port: 5060 })
    expect(now('sip:x@sip.test')).toBe(UDP)
  })
})
