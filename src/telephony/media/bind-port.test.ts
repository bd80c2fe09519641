import { describe, expect, it } from 'vitest'
import { bindEvenPort } from './bind-port.ts'

function setup(taken: number[], system: number[] = []) {
  const tried: number[] = []
  const closed: number[] = []
  const bind = async (port: number) => {
    tried.push(port)
    if (taken.includes(port)) return undefined
    const given = port === 0 ? (system.shift() ?? 1) : port
    return { port: given, close: () => closed.push(given) }
  }
  return { bind, tried, closed }
}

describe('bindEvenPort', () => {
  it('begins anywhere in the range, goes round once and takes the first that is free', async () => {
    const { bind, tried } = setup([20_006, 20_000])
    const bound = await bindEvenPort([20_000, 20_007], 0.9, bind)
    expect(bound.port).toBe(20_002)
    expect(tried).toEqual([20_006, 20_000, 20_002])
  })

  it('takes even ports only, also from a range that begins at an odd one', async () => {
    const { bind, tried } = setup([20_002, 20_004])
    await expect(bindEvenPort([20_001, 20_005], 0, bind)).rejects.toThrow(
      'no even port is free in 20001-20005',
    )
    expect(tried).toEqual([20_002, 20_004])
  })

  it('passes on what else goes wrong', async () => {
    const broken = () => Promise.reject(new Error('no such address'))
    await expect(bindEvenPort([2000, 2009], 0, broken)).rejects.toThrow('no such address')
  })

  it('asks the system until it gives an even port, and gives the odd ones back', async () => {
    const { bind, closed } = setup([], [40_001, 40_003, 40_004])
    expect((await bindEvenPort([0, 0], 0.5, bind)).port).toBe(40_004)
    expect(closed).toEqual([40_001, 40_003])
  })

  it('does not ask for ever', async () => {
    const { bind, closed } = setup([])
    await expect(bindEvenPort([0, 0], 0, bind)).rejects.toThrow('no even port')
    expect(closed).toHaveLength(64)
  })
})
