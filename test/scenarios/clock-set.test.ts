import { describe, expect, it } from 'vitest'
import { appForEachTest, GOODBYE, NUMBER } from '../kit/app.ts'

const start = appForEachTest()
const HOUR = 3_600_000

describe('a machine whose clock is set in the middle of a call', () => {
  it.each([
    ['an hour ahead', HOUR],
    ['an hour back', -HOUR],
  ])('by %s goes on talking, and bills what was talked', async (_, jump) => {
    const app = await start()
    app.trunk.phone(NUMBER, { says: [GOODBYE] })
    const id = await app.place({ firstMessage: 'Hi, I would like a pizza.' })
    await app.reaches(id, 'in_progress')
    await app.run(1000)
    app.clock.jump(jump)
    const call = await app.ended(id, 60_000)
    expect(call.endReason).toBe('agent_hangup')
    expect(call.transcript.map(({ text }) => text)).toEqual([
      'Hi, I would like a pizza.',
      'Thanks, goodbye.',
      'Thank you, goodbye.',
    ])
    expect([call.duration, call.cost]).toEqual([7, 1])
  })
})
