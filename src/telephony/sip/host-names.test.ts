import { describe, expect, it } from 'vitest'
import { SimClock, settle } from '../../../test/kit/sim-clock.ts'
import { createIds } from '../../core/ids.ts'
import type { Dns } from './dns.ts'
import { HostNames } from './host-names.ts'
import type { Wanted } from './locate.ts'

function hostNames(clock: SimClock, addresses: Dns['addresses']): HostNames {
  const dns = { addresses, srv: async () => [], naptr: async () => [] }
  const ids = createIds(clock, (n) => new Uint8Array(n))
  return new HostNames({ clock, ids, dns, boundTo: '0.0.0.0' })
}

function named(host: string): Wanted {
  return { host, port: 5070, protocol: 'UDP', trunk: 'main' }
}

const at = (host: string) => [{ host, port: 5070 }]

function setup() {
  const clock = new SimClock()
  const asked: string[] = []
  const dns = { address: '192.0.2.1', works: true }
  const names = hostNames(clock, async (host) => {
    asked.push(host)
    if (!dns.works) throw new Error('SERVFAIL')
    return [{ address: dns.address, family: 4 }]
  })
  return { clock, asked, dns, names }
}

describe('host names', () => {
  it('are not known at first, and known as soon as somebody answered', async () => {
    const { names, asked } = setup()
    expect(names.known(named('sbc.test'))).toEqual([])
    expect(names.known(named('SBC.test'))).toEqual([])
    await settle()
    expect(names.known(named('sbc.test'))).toEqual(at('192.0.2.1'))
    expect(await names.find(named('sbc.test'))).toEqual(at('192.0.2.1'))
    expect(asked).toEqual(['sbc.test'])
  })

  it('are asked for again after a minute, and known as before meanwhile', async () => {
    const { names, asked, dns, clock } = setup()
    await names.find(named('sbc.test'))
    await clock.advance(59_000)
    names.known(named('sbc.test'))
    expect(asked.length).toBe(1)
    dns.address = '192.0.2.2'
    await clock.advance(2_000)
    expect(names.known(named('sbc.test'))).toEqual(at('192.0.2.1'))
    expect(await names.find(named('sbc.test'))).toEqual(at('192.0.2.2'))
    expect(asked.length).toBe(2)
  })

  it('that do not resolve are nowhere, and asked for again by the next', async () => {
    const { names, asked, dns } = setup()
    dns.works = false
    expect(await names.find(named('sbc.test'))).toEqual([])
    dns.works = true
    expect(await names.find(named('sbc.test'))).toEqual(at('192.0.2.1'))
    expect(asked.length).toBe(2)
  })

  it('of a server that never answers are nowhere in the end', async () => {
    const clock = new SimClock()
    const names = hostNames(clock, () => new Promise(() => {}))
    const found = names.find(named('sbc.test'))
    await clock.advance(5_000)
    expect(await found).toEqual([])
  })

  it('are forgotten, the oldest first, when there are too many', async () => {
    const { names, asked } = setup()
    for (let i = 0; i < 257; i++) await names.find(named(`n${i}.test`))
    await names.find(named('n1.test'))
    expect(asked.length).toBe(257)
    await names.find(named('n0.test'))
    expect(asked.length).toBe(258)
  })
})
