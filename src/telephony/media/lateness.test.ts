import { describe, expect, it } from 'vitest'
import { Lateness } from './lateness.ts'

describe('Lateness', () => {
  it('tells the median, the hundredth and the last, each rounded up to a step', () => {
    const lateness = new Lateness()
    for (let n = 0; n < 98; n++) lateness.add(0.05)
    lateness.add(3.21)
    lateness.add(7)
    const { packets, p50, p99, max } = lateness.figures()
    expect(packets).toBe(100)
    expect(p50).toBeCloseTo(0.1)
    expect(p99).toBeCloseTo(3.3)
    expect(max).toBeCloseTo(7.1)
  })

  it('takes what leaves early for on time, and what is very late for as late as it can tell', () => {
    const lateness = new Lateness()
    lateness.add(-0.8)
    lateness.add(5000)
    expect(lateness.figures().p50).toBeCloseTo(0.1)
    expect(lateness.figures().max).toBeCloseTo(51.2)
  })

  it('tells what left between two marks, also over a wrap-around of the counts', () => {
    const buffer = new SharedArrayBuffer(512 * 4)
    new Int32Array(buffer).fill(2 ** 31 - 1, 0, 1)
    const lateness = new Lateness(buffer)
    const mark = lateness.mark()
    lateness.add(0)
    lateness.add(0)
    lateness.add(2)
    const until = lateness.mark()
    lateness.add(9)
    expect(lateness.figures(mark, until).packets).toBe(3)
    expect(lateness.figures(mark, until).max).toBeCloseTo(2.1)
    expect(lateness.figures(until).max).toBeCloseTo(9.1)
  })

  it('is seen by whoever opens the same memory, until it is cleared', () => {
    const lateness = new Lateness()
    new Lateness(lateness.buffer).add(1)
    expect(lateness.figures().packets).toBe(1)
    lateness.clear()
    expect(lateness.figures()).toEqual({ packets: 0, p50: 0, p99: 0, max: 0 })
  })
})
