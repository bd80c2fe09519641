import { describe, expect, it } from 'vitest'
import { SimClock } from '../../../test/kit/sim-clock.ts'
import { createIds, type Ids } from '../../core/ids.ts'
import type { Dns, NaptrRecord, SrvRecord } from './dns.ts'
import { locate, orderSrv } from './locate.ts'

interface Zone {
  a?: Record<string, string[]>
  srv?: Record<string, SrvRecord[]>
  naptr?: Record<string, NaptrRecord[]>
}

function setup(zone: Zone, o: { boundTo?: string; fraction?: number } = {}) {
  const clock = new SimClock()
  const asked: string[] = []
  const find = <T>(kind: string, table: Record<string, T[]> | undefined, name: string): T[] => {
    asked.push(`${kind} ${name}`)
    const found = table?.[name]
    if (!found) throw new Error('ENOTFOUND')
    return found
  }
  const dns: Dns = {
    addresses: async (host) =>
      find('a', zone.a, host).map((address) => ({
        address,
        family: address.includes(':') ? 6 : 4,
      })),
    srv: async (name) => find('srv', zone.srv, name),
    naptr: async (name) => find('naptr', zone.naptr, name),
  }
  const ids: Ids = {
    ...createIds(clock, (n) => new Uint8Array(n)),
    fraction: () => o.fraction ?? 0,
  }
  const deps = { clock, ids, dns, boundTo: o.boundTo ?? '0.0.0.0' }
  const ask = (host: string, wanted: Partial<Parameters<typeof locate>[0]> = {}) =>
    locate({ host, port: null, protocol: null, trunk: 'main', ...wanted }, deps)
  return { ask, asked, clock }
}

const srv = (name: string, o: Partial<SrvRecord> = {}): SrvRecord => ({
  name,
  port: 5060,
  priority: 10,
  weight: 0,
  ...o,
})
const naptr = (service: string, replacement: string, order: number): NaptrRecord => ({
  order,
  preference: 10,
  flags: 's',
  service,
  replacement,
})

describe('locate', () => {
  it('asks nobody for an address', async () => {
    const { ask, asked } = setup({})
    expect(await ask('192.0.2.1')).toEqual([{ host: '192.0.2.1', port: 5060 }])
    expect(await ask('192.0.2.1', { protocol: 'TLS' })).toMatchObject([
      { host: '192.0.2.1', port: 5061, protocol: 'TLS' },
    ])
    expect(asked).toEqual([])
  })

  it('asks for no SRV record when the port is given (RFC 3263 §4.2)', async () => {
    const { ask, asked } = setup({ a: { 'sip.test': ['192.0.2.1'] } })
    expect(await ask('sip.test', { port: 5080 })).toEqual([{ host: '192.0.2.1', port: 5080 }])
    expect(asked).toEqual(['a sip.test'])
  })

  it.each(['localhost', 'fritz.local'])('asks for no SRV record of %s', async (host) => {
    const { ask, asked } = setup({ a: { [host]: ['192.0.2.1'] } })
    await ask(host)
    expect(asked).toEqual([`a ${host}`])
  })

  it('takes the host itself when it publishes nothing', async () => {
    const { ask } = setup({ a: { 'sip.test': ['192.0.2.1', '192.0.2.2'] } })
    expect(await ask('sip.test')).toEqual([
      { host: '192.0.2.1', port: 5060 },
      { host: '192.0.2.2', port: 5060 },
    ])
  })

  it('goes through SRV targets by priority, and through the addresses of each', async () => {
    const { ask } = setup({
      srv: {
        '_sip._udp.sip.test': [
          srv('b.test.', { priority: 20, port: 5062 }),
          srv('a.test', { port: 5061 }),
        ],
      },
      a: { 'a.test': ['192.0.2.1', '192.0.2.2'], 'b.test': ['192.0.2.3'] },
    })
    expect(await ask('sip.test')).toEqual([
      { host: '192.0.2.1', port: 5061 },
      { host: '192.0.2.2', port: 5061 },
      { host: '192.0.2.3', port: 5062 },
    ])
  })

  it('passes over a target that does not resolve', async () => {
    const { ask } = setup({
      srv: { '_sip._udp.sip.test': [srv('gone.test'), srv('b.test', { priority: 20 })] },
      a: { 'b.test': ['192.0.2.3'] },
    })
    expect(await ask('sip.test')).toEqual([{ host: '192.0.2.3', port: 5060 }])
  })

  it('lets NAPTR choose the transport, in its order', async () => {
    const { ask } = setup({
      naptr: {
        'sip.test': [
          naptr('SIPS+D2T', '_sips._tcp.sip.test', 5),
          naptr('SIP+D2U', '_sip._udp.sip.test', 20),
          naptr('SIP+D2T', '_sip._tcp.sip.test', 10),
        ],
      },
      srv: { '_sip._udp.sip.test': [srv('u.test')], '_sip._tcp.sip.test': [srv('t.test')] },
      a: { 'u.test': ['192.0.2.1'], 't.test': ['192.0.2.2'] },
    })
    expect(await ask('sip.test')).toEqual([{ host: '192.0.2.2', port: 5060, protocol: 'TCP' }])
  })

  it('takes TCP when only that is published, and UDP before it when both are', async () => {
    const zone = {
      srv: { '_sip._tcp.sip.test': [srv('t.test')] },
      a: { 't.test': ['192.0.2.2'], 'u.test': ['192.0.2.1'] },
    }
    expect(await setup(zone).ask('sip.test')).toMatchObject([{ protocol: 'TCP' }])
    const both = { ...zone, srv: { ...zone.srv, '_sip._udp.sip.test': [srv('u.test')] } }
    expect(await setup(both).ask('sip.test')).toEqual([{ host: '192.0.2.1', port: 5060 }])
  })

  it('asks for the records of the configured transport only, and for TLS keeps the name', async () => {
    const { ask, asked } = setup({
      srv: { '_sips._tcp.sip.test': [srv('edge7.cloud.test', { port: 5071 })] },
      a: { 'edge7.cloud.test': ['192.0.2.9'] },
    })
    expect(await ask('sip.test', { protocol: 'TLS' })).toEqual([
      {
        host: '192.0.2.9',
        port: 5071,
        protocol: 'TLS',
        // RFC 5922 §4: what the certificate has to name is the domain, not what DNS made of it.
        tls: { trunk: 'main', name: 'sip.test' },
      },
    ])
    expect(asked).toEqual(['srv _sips._tcp.sip.test', 'a edge7.cloud.test'])
  })

  it('believes a domain that says it offers no SIP', async () => {
    const { ask } = setup({
      srv: { '_sip._udp.sip.test': [srv('.', { port: 0 })] },
      a: { 'sip.test': ['192.0.2.1'] },
    })
    await expect(ask('sip.test')).rejects.toThrow('offers no SIP')
  })

  it('waits two seconds for SRV and NAPTR together, and five for an address', async () => {
    const clock = new SimClock()
    const never = (): Promise<never> => new Promise(() => {})
    const dns: Dns = {
      addresses: async () => [{ address: '192.0.2.1', family: 4 }],
      srv: never,
      naptr: never,
    }
    const ids = createIds(clock, (n) => new Uint8Array(n))
    const wanted = { host: 'sip.test', port: null, protocol: null, trunk: 'main' }
    const found = locate(wanted, { clock, ids, dns, boundTo: '0.0.0.0' })
    await clock.advance(2_000)
    expect(await found).toEqual([{ host: '192.0.2.1', port: 5060 }])
    const deaf = { ...dns, addresses: never }
    const lost = locate({ ...wanted, port: 5060 }, { clock, ids, dns: deaf, boundTo: '0.0.0.0' })
    const refused = expect(lost).rejects.toThrow('looking up sip.test: no answer within 5 s')
    await clock.advance(5_000)
    await refused
  })

  it('keeps to the family that we can send from', async () => {
    const zone = { a: { 'sip.test': ['2001:db8::1', '192.0.2.1'] } }
    const hosts = async (boundTo: string): Promise<string[]> =>
      (await setup(zone, { boundTo }).ask('sip.test')).map(({ host }) => host)
    expect(await hosts('0.0.0.0')).toEqual(['192.0.2.1'])
    expect(await hosts('::1')).toEqual(['2001:db8::1'])
    expect(await hosts('::')).toEqual(['192.0.2.1', '2001:db8::1'])
    await expect(setup({}).ask('[2001:db8::1]')).rejects.toThrow('cannot be reached from sip.host')
  })

  it('bounds what a name can make us try', async () => {
    const records = Array.from({ length: 100 }, (_, n) => srv(`h${n}.test`))
    const a = Object.fromEntries(
      records.map(({ name }) => [name, Array.from({ length: 100 }, (_, n) => `192.0.2.${n + 1}`)]),
    )
    const { ask, asked } = setup({ srv: { '_sip._udp.sip.test': records }, a })
    expect(await ask('sip.test')).toHaveLength(16)
    expect(asked.length).toBeLessThan(12)
  })
})

describe('orderSrv', () => {
  it('draws by weight within a priority', () => {
    const records = [srv('a', { weight: 60 }), srv('b', { weight: 30 }), srv('c', { weight: 10 })]
    const firsts = new Map<string, number>()
    for (let n = 0; n < 1_000; n++) {
      const [first] = orderSrv(records, () => n / 1_000)
      firsts.set(first?.name ?? '', (firsts.get(first?.name ?? '') ?? 0) + 1)
    }
    expect(firsts).toEqual(
      new Map([
        ['c', 100],
        ['b', 300],
        ['a', 600],
      ]),
    )
  })

  it('never puts a higher priority number first, and loses no record', () => {
    const records = [
      srv('c', { priority: 30 }),
      srv('a1', { priority: 1, weight: 0 }),
      srv('b', { priority: 2, weight: 900 }),
      srv('a2', { priority: 1, weight: 5 }),
    ]
    for (const at of [0, 0.3, 0.999]) {
      const names = orderSrv(records, () => at).map(({ name }) => name)
      expect(names.slice(0, 2).sort()).toEqual(['a1', 'a2'])
      expect(names.slice(2)).toEqual(['b', 'c'])
    }
  })

  it('spreads over targets that all weigh nothing', () => {
    const records = [srv('a'), srv('b')]
    expect(orderSrv(records, () => 0)[0]?.name).toBe('a')
    expect(orderSrv(records, () => 0.9)[0]?.name).toBe('b')
  })
})
