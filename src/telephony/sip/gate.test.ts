import { describe, expect, it } from 'vitest'
import { SimClock } from '../../../test/kit/sim-clock.ts'
import { isPrivateAddress, SourceList, SourceRate } from './gate.ts'

describe('SourceList', () => {
  it('allows nobody by itself', () => {
    expect(new SourceList().allows('127.0.0.1')).toBe(false)
  })

  it('allows configured ranges of both families', () => {
    const list = new SourceList()
    list.allow('main', ['192.0.2.0/24', '198.51.100.7', '2001:db8::/32'])
    expect(list.allows('192.0.2.200')).toBe(true)
    expect(list.allows('::ffff:192.0.2.200')).toBe(true)
    expect(list.allows('198.51.100.7')).toBe(true)
    expect(list.allows('198.51.100.8')).toBe(false)
    expect(list.allows('2001:db8:1::1')).toBe(true)
    expect(list.allows('2001:db9::1')).toBe(false)
    expect(list.allows('not an address')).toBe(false)
  })

  it('replaces what it knew of an owner', () => {
    const list = new SourceList()
    list.set('main', ['192.0.2.1'])
    list.set('main', ['192.0.2.2'])
    expect(list.allows('192.0.2.1')).toBe(false)
    expect(list.allows('192.0.2.2')).toBe(true)
  })

  it("tells whose an address is; one that is only held is nobody's", () => {
    const list = new SourceList()
    list.allow('one', ['192.0.2.0/24'])
    list.set('two', ['198.51.100.1'])
    list.hold('203.0.113.5')
    expect(list.ownersOf('192.0.2.9')).toEqual(['one'])
    expect(list.ownersOf('198.51.100.1')).toEqual(['two'])
    expect(list.allows('203.0.113.5')).toBe(true)
    expect(list.ownersOf('203.0.113.5')).toEqual([])
  })

  it('allows a held address until the last holder lets go', () => {
    const list = new SourceList()
    const one = list.hold('192.0.2.1')
    const two = list.hold('192.0.2.1')
    one()
    one()
    expect(list.allows('192.0.2.1')).toBe(true)
    two()
    expect(list.allows('192.0.2.1')).toBe(false)
  })

  it('refuses a range that is none', () => {
    expect(() => new SourceList().allow('main', ['10.0.0.0/40'])).toThrow("'10.0.0.0/40'")
  })
})

describe('SourceRate', () => {
  function setup(): {
    clock: SimClock
    rate: SourceRate
    taken(source: string, n: number): number
  } {
    const clock = new SimClock()
    const rate = new SourceRate(clock, { perSecond: 10, burst: 5 })
    return {
      clock,
      rate,
      taken: (source, n) =>
        Array.from({ length: n }, () => rate.take(source)).filter(Boolean).length,
    }
  }

  it('lets a burst through, then so many a second', async () => {
    const { clock, taken } = setup()
    expect(taken('a', 20)).toBe(5)
    await clock.advance(300)
    expect(taken('a', 20)).toBe(3)
    await clock.advance(60_000)
    expect(taken('a', 20)).toBe(5)
  })

  it('counts each source for itself', () => {
    const { taken } = setup()
    expect(taken('a', 20)).toBe(5)
    expect(taken('b', 20)).toBe(5)
  })

  it.each([-3_600_000, 3_600_000])(
    'gives and takes nothing for a clock that is set by %i ms',
    async (ms) => {
      const { clock, taken } = setup()
      taken('a', 20)
      clock.jump(ms)
      expect(taken('a', 20)).toBe(0)
      await clock.advance(300)
      expect(taken('a', 20)).toBe(3)
    },
  )
})

describe('isPrivateAddress', () => {
  it.each([
    ['10.0.0.1', true],
    ['192.168.1.1', true],
    ['127.0.0.1', true],
    ['100.64.0.1', true],
    ['fd00::1', true],
    ['8.8.8.8', false],
    ['trunk.example', false],
  ])('%s: %s', (address, is) => {
    expect(isPrivateAddress(address)).toBe(is)
  })
})
