import { describe, expect, it } from 'vitest'
import { SimClock, settle } from '../../../test/kit/sim-clock.ts'
import { HostNames } from './host-names.ts'

function setup() {
  const clock = new SimClock()
  const asked: string[] = []
  const dns = { address: '192.0.2.1', works: true }
  const names = new HostNames({
    clock,
    boundTo: '0.0.0.0',
    lookup: async (host) => {
      asked.push(host)
      if (!dns.works) throw new Error('SERVFAIL')
      return [{ address: dns.address, family: 4 }]
    },
  })
  return { clock, asked, dns, names }
}

describe('host names', () => {
  it('are not known at first, and known as soon as somebody answered', async () => {
    const { names, asked } = setup()
    expect(names.known('sbc.test')).toBeNull()
    expect(names.known('SBC.test')).toBeNull()
    await settle()
    expect(names.known('sbc.test')).toBe('192.0.2.1')
    expect(await names.find('sbc.test')).toBe('192.0.2.1')
    expect(asked).toEqual(['sbc.test'])
  })

  it('are asked for again after a minute, and known as before meanwhile', async () => {
    const { names, asked, dns, clock } = setup()
    await names.find('sbc.test')
    await clock.advance(59_000)
    names.known('sbc.test')
    expect(asked.length).toBe(1)
    dns.address = '192.0.2.2'
    await clock.advance(2_000)
    expect(names.known('sbc.test')).toBe('192.0.2.1')
    expect(await names.find('sbc.test')).toBe('192.0.2.2')
    expect(asked.length).toBe(2)
  })

  it('that do not resolve are null, and asked for again by the next', async () => {
    const { names, asked, dns } = setup()
    dns.works = false
    expect(await names.find('sbc.test')).toBeNull()
    dns.works = true
    expect(await names.find('sbc.test')).toBe('192.0.2.1')
    expect(asked.length).toBe(2)
  })

  it('of a server that never answers are null in the end', async () => {
    const clock = new SimClock()
    const names = new HostNames({ clock, boundTo: '0.0.0.0', lookup: () => new Promise(() => {}) })
    const found = names.find('sbc.test')
    await clock.advance(5_000)
    expect(await found).toBeNull()
  })

  it('are forgotten, the oldest first, when there are too many', async () => {
    const { names, asked } = setup()
    for (let i = 0; i < 257; i++) await names.find(`n${i}.test`)
    await names.find('n1.test')
    expect(asked.length).toBe(257)
    await names.find('n0.test')
    expect(asked.length).toBe(258)
  })
})
