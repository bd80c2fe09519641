import { exerciseTrunk, PHONE_NUMBER, type TrunkUnderTest } from '../conformance/trunk.ts'
import { createFakeTrunk } from '../kit/fake-trunk.ts'
import { SimClock } from '../kit/sim-clock.ts'

exerciseTrunk('the fake trunk', async (): Promise<TrunkUnderTest> => {
  const clock = new SimClock()
  const trunk = createFakeTrunk({ clock })
  trunk.phone(PHONE_NUMBER, { ringsAfter: 10, answersAfter: 60 })
  return {
    trunk,
    phone: (phone) => trunk.phone(PHONE_NUMBER, phone),
    requests: () =>
      trunk.placed.flatMap(({ ladder }) => ladder.filter((message) => /^[A-Z]+$/.test(message))),
    hangUp: () => trunk.placed.at(-1)?.leg?.humanHangsUp(),
    pass: (ms) => clock.advance(ms),
    async settled(promise) {
      let settled = false
      const done = (): void => {
        settled = true
      }
      promise.then(done, done)
      for (let i = 0; i < 500 && !settled; i++) await clock.advance(100)
      return promise
    },
    close: async () => undefined,
  }
})
