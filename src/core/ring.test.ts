import { describe, expect, it } from 'vitest'
import { Ring } from './ring.ts'

describe('who waits for a ring to grow', () => {
  it('is woken by the next sound', async () => {
    const ring = Ring.create(8000, 1)
    const grown = ring.grown(0, 60_000)
    ring.write(new Int16Array(160))
    await grown
    expect(ring.written).toBe(160)
  })

  it('waits for nothing when there is more than was seen', async () => {
    const ring = Ring.create(8000, 1)
    ring.write(new Int16Array(160))
    await ring.grown(0, 60_000)
  })

  it('is let go of after a while of silence', async () => {
    const ring = Ring.create(8000, 1)
    await ring.grown(0, 1)
    expect(ring.written).toBe(0)
  })

  it('is woken together with all that wait for the same ring', async () => {
    const ring = Ring.create(8000, 1)
    const all = Promise.all([ring.grown(0, 60_000), new Ring(ring.buffer).grown(0, 60_000)])
    ring.write(new Int16Array(160))
    await all
  })
})
