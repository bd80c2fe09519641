import { describe, expect, it } from 'vitest'
import { appForEachTest, NUMBER } from '../kit/app.ts'

const start = appForEachTest()

describe('right after a start', () => {
  it('the appliance is not ready before its engines have been asked', async () => {
    const app = await start()
    expect((await app.send('GET', '/readyz')).status).toBe(200)
    await app.kill()
    app.engineIs('ready', 800)
    await app.restart()
    const early = await app.send('GET', '/readyz')
    expect(early.status).toBe(503)
    expect((early.json as { error: string }).error).toContain('engines (away)')
    await app.run(800)
    expect((await app.send('GET', '/readyz')).status).toBe(200)
  })

  it('an engine that hangs is told as away, by its name', async () => {
    const app = await start()
    await app.kill()
    app.engineIs('ready', 10 * 60_000)
    await app.restart()
    await app.run(16_000)
    const answer = await app.send('GET', '/readyz')
    expect(answer.status).toBe(503)
    expect((answer.json as { error: string }).error).toContain('language model (away)')
    const refused = await app.post()
    expect([refused.status, (refused.json as { code: string }).code]).toEqual([
      503,
      'engines_not_ready',
    ])
  })

  it('due calls are dialled in their order as soon as the engines have answered', async () => {
    const app = await start()
    const numbers = [NUMBER, '+15557654321', '+15557654322']
    const ids: string[] = []
    for (const [i, phoneNumber] of numbers.entries())
      ids.push(await app.place({ phoneNumber, callAt: `2026-03-20T18:31:0${i}Z` }))
    await app.kill()
    app.engineIs('ready', 3000)
    await app.restart(120_000)
    await app.run(2900)
    expect(app.trunk.placed).toEqual([])
    await app.run(100)
    expect(app.trunk.placed.map(({ callId }) => callId)).toEqual(ids)
  })
})
