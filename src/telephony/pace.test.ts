import { describe, expect, it } from 'vitest'
import { SimClock, settle } from '../../test/kit/sim-clock.ts'
import { createPace } from './pace.ts'

function setup(perSecond: number | null) {
  const clock = new SimClock()
  const pace = createPace(clock, perSecond)
  const went: number[] = []
  const start = clock.now()
  const go = (signal = new AbortController().signal): void =>
    void pace.wait(signal).then((may) => may && went.push(clock.now() - start))
  return { clock, go, went }
}

describe('createPace', () => {
  it('spaces calls that come together evenly', async () => {
    const { clock, go, went } = setup(4)
    for (let n = 0; n < 5; n++) go()
    await clock.advance(2_000)
    expect(went).toEqual([0, 250, 500, 750, 1_000])
  })

  it('lets a call go at once after a pause', async () => {
    const { clock, go, went } = setup(2)
    go()
    await clock.advance(5_000)
    go()
    await settle()
    expect(went).toEqual([0, 5_000])
  })

  it('holds up nobody without a pace', async () => {
    const { go, went } = setup(null)
    for (let n = 0; n < 20; n++) go()
    await settle()
    expect(went).toHaveLength(20)
  })

  it('lets who gives up while waiting go nowhere', async () => {
    const { clock, go, went } = setup(1)
    const controller = new AbortController()
    go()
    go(controller.signal)
    await settle()
    controller.abort()
    await clock.advance(3_000)
    expect(went).toEqual([0])
  })
})
