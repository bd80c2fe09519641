import { describe, expect, it } from 'vitest'
import { appForEachTest, GOODBYE, NUMBER } from '../kit/app.ts'

const start = appForEachTest()

describe('a call with a voice and a language', () => {
  it('keeps them from POST to the end, and is spoken so', async () => {
    const app = await start()
    app.trunk.phone(NUMBER, { says: [GOODBYE] })
    const answer = await app.post({ firstMessage: 'Bonjour.', voice: 'faux', language: 'fr' })
    expect(answer.json).toMatchObject({ voice: 'faux', language: 'fr' })
    const { id } = answer.json as { id: string }
    const call = await app.ended(id)
    expect(call).toMatchObject({ voice: 'faux', language: 'fr', status: 'completed' })
    expect(app.engines.asked[0]?.messages[0]?.content).toContain('Speak French.')
  })

  it('is refused when no such voice is installed, and null where nothing was asked for', async () => {
    const app = await start()
    const refused = await app.post({ voice: 'nova' })
    expect(refused.status).toBe(400)
    expect((refused.json as { error: string }).error).toContain('fake, faux')
    app.trunk.phone(NUMBER, { says: [GOODBYE] })
    const { id } = (await app.post({})).json as { id: string }
    expect(await app.ended(id)).toMatchObject({ voice: null, language: null })
  })
})
