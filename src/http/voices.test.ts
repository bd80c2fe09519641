import { describe, expect, it } from 'vitest'
import { setupHttp } from '../../test/kit/http-client.ts'

const BODY = { phoneNumber: '+15551234567', instructions: 'Order a pizza.' }

describe('GET /api/v1/voices', () => {
  it('lists what a call may be spoken with, the one that speaks by itself marked', async () => {
    const answer = await setupHttp().send('GET', '/api/v1/voices')
    expect(answer.status).toBe(200)
    expect(answer.json).toEqual({
      data: [
        { id: 'slt', engine: 'flite', language: 'en-US', name: 'SLT', default: true },
        { id: 'rms', engine: 'flite', language: 'en-US', name: 'RMS', default: false },
      ],
    })
  })
})

describe('voice and language of POST /calls', () => {
  const post = async (fields: object) => {
    const { send, services } = setupHttp()
    const answer = await send('POST', '/api/v1/calls', { body: { ...BODY, ...fields } })
    return { answer, request: services.created[0]?.request }
  }

  it('are taken when such a voice is installed; the tag in its canonical form', async () => {
    const { answer, request } = await post({ voice: 'rms', language: 'EN-gb' })
    expect(answer.status).toBe(201)
    expect(request).toMatchObject({ voice: 'rms', language: 'en-GB' })
  })

  it('are absent when null, or blank', async () => {
    const { request } = await post({ voice: ' ', language: null })
    expect(request).toMatchObject({ voice: null, language: null })
  })

  it.each([
    [{ voice: 'nova' }, /^voice must be one of GET \/api\/v1\/voices: slt, rms\.$/],
    [{ voice: 7 }, /^voice must be a string/],
    [{ voice: 'x'.repeat(201) }, /^voice may have up to 200/],
    [{ language: 'de' }, /^language: no installed voice speaks de; installed: en-US\.$/],
    [{ voice: 'slt', language: 'fr' }, /^voice: slt speaks en-US, not fr\.$/],
    [{ language: 'english please' }, /^language must be a BCP 47 tag/],
    [{ language: 'e' }, /^language must be a BCP 47 tag/],
    [{ language: 5 }, /^language must be a BCP 47 tag/],
    [{ language: '' }, /^language must be a BCP 47 tag/],
    [{ language: `en-${'abcd-'.repeat(9)}x` }, /^language must be a BCP 47 tag/],
  ])('are refused with a sentence that names the field: %o', async (fields, sentence) => {
    const { answer } = await post(fields)
    expect(answer.status).toBe(400)
    expect(answer.json).toMatchObject({ code: 'invalid_request' })
    expect((answer.json as { error: string }).error).toMatch(sentence)
  })
})
