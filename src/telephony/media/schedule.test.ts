import { describe, expect, it } from 'vitest'
import { randomSource } from '../../../test/kit/seeded.ts'
import { Schedule } from './schedule.ts'

class Beater {
  dueAt: number
  readonly beats: number[] = []
  private readonly every: number
  private readonly onBeat: () => void

  constructor(dueAt: number, every = 20, onBeat: () => void = () => {}) {
    this.dueAt = dueAt
    this.every = every
    this.onBeat = onBeat
  }

  beat(now: number): void {
    this.beats.push(now)
    this.dueAt += this.every
    this.onBeat()
  }
}

describe('Schedule', () => {
  it('beats what is due, and tells when the next is', () => {
    const schedule = new Schedule<Beater>()
    expect(schedule.run(0, 0)).toBe(Number.POSITIVE_INFINITY)
    const [first, second] = [new Beater(10), new Beater(13)]
    schedule.add(first)
    schedule.add(second)
    expect(schedule.run(5, 6)).toBe(10)
    expect(schedule.run(10, 11)).toBe(13)
    expect([first.beats, second.beats]).toEqual([[10], []])
    expect(schedule.run(13, 14)).toBe(30)
  })

  it('looks again when it is told that something is due earlier', () => {
    const schedule = new Schedule<Beater>()
    const one = new Beater(Number.POSITIVE_INFINITY)
    schedule.add(one)
    expect(schedule.run(0, 1)).toBe(Number.POSITIVE_INFINITY)
    one.dueAt = 3
    schedule.changed(one)
    expect(schedule.run(0, 1)).toBe(3)
    schedule.changed(new Beater(1))
  })

  it('forgets what is removed, also within its own beat', () => {
    const schedule = new Schedule<Beater>()
    const all: Beater[] = []
    for (let n = 0; n < 5; n++)
      all.push(
        new Beater(0, 20, () => {
          if (n % 2 === 0) schedule.remove(all[n] as Beater)
        }),
      )
    for (const one of all) schedule.add(one)
    schedule.run(0, 1)
    expect(all.map(({ beats }) => beats.length)).toEqual([1, 1, 1, 1, 1])
    expect(schedule.run(20, 21)).toBe(40)
    expect(all.map(({ beats }) => beats.length)).toEqual([1, 2, 1, 2, 1])
    schedule.remove(all[0] as Beater)
    schedule.remove(all[1] as Beater)
    expect(schedule.run(40, 41)).toBe(60)
    expect(all.map(({ beats }) => beats.length)).toEqual([1, 2, 1, 3, 1])
  })

  it('beats each of hundreds that come and go as often as its time has passed', () => {
    const schedule = new Schedule<Beater>()
    const random = randomSource(4)
    const live = new Map<Beater, number>()
    const done: [Beater, number, number][] = []
    for (let now = 0; now < 2000; now++) {
      if (random() < 0.3) {
        const one = new Beater(now)
        live.set(one, now)
        schedule.add(one)
      }
      schedule.run(now, now)
      for (const [one, from] of live)
        if (random() < 0.0005) {
          schedule.remove(one)
          live.delete(one)
          done.push([one, from, now])
        }
    }
    for (const [one, from] of live) done.push([one, from, 1999])
    expect(done.length).toBeGreaterThan(500)
    for (const [one, from, to] of done)
      expect(one.beats.length).toBe(Math.floor((to - from) / 20) + 1)
  })
})
