import { describe, expect, it } from 'vitest'
import { appForEachTest, GOODBYE, NUMBER } from '../kit/app.ts'

const start = appForEachTest()
const resultSchema = {
  type: 'object',
  properties: { size: { enum: ['small', 'large'] } },
  required: ['size'],
}

describe('a call with a resultSchema', () => {
  it('ends with a result that is valid by it, in the call, its list and its webhook', async () => {
    const app = await start()
    await app.hook()
    app.trunk.phone(NUMBER, { says: [GOODBYE] })
    const call = await app.ended(await app.place({ resultSchema }))
    await app.run(1000)
    expect(call).toMatchObject({ result: { size: 'large' }, resultError: null, resultSchema })
    const [post] = app.receiver.posts
    expect(JSON.parse(post?.body ?? '{}').call).toMatchObject({ result: { size: 'large' } })
    const { data } = await app.ask<{ data: object[] }>('GET', '/calls')
    expect(data[0]).toMatchObject({ result: { size: 'large' }, resultError: null })
    expect(data[0]).not.toHaveProperty('resultSchema')
  })

  it('ends without one, and says why, when the model does not keep to it', async () => {
    const app = await start({
      reply: (messages) =>
        messages[0]?.content.startsWith('You fill in forms')
          ? { text: '{"size": "huge"}' }
          : /goodbye/i.test(messages.at(-1)?.content ?? '')
            ? { text: 'Goodbye.', tools: [{ name: 'end_call', arguments: {} }] }
            : { text: 'A large one.' },
    })
    app.trunk.phone(NUMBER, { says: [GOODBYE] })
    const call = await app.ended(await app.place({ resultSchema }))
    expect(call).toMatchObject({ status: 'completed', result: null })
    expect(call.resultError).toMatch(/does not fit the schema: it is wrong at \/size/)
  })

  it.each([
    ['busy', { status: 486 }, 'The call was not answered.'],
    ['completed', { says: [] }, 'Nobody spoke on the call.'],
  ] as const)('that is %s has no result, and says why', async (status, phone, resultError) => {
    const app = await start()
    app.trunk.phone(NUMBER, phone)
    const call = await app.ended(await app.place({ resultSchema }))
    expect(call).toMatchObject({ status, result: null, resultError })
  })

  it('says nothing of a result where none was asked for', async () => {
    const app = await start()
    app.trunk.phone(NUMBER, { status: 486 })
    const call = await app.ended(await app.place())
    expect(call).toMatchObject({ resultSchema: null, result: null, resultError: null })
  })

  it('has no result after a crash, and says so', async () => {
    const app = await start()
    app.trunk.phone(NUMBER, { says: [] })
    const id = await app.place({ resultSchema })
    await app.reaches(id, 'in_progress')
    await app.kill()
    await app.restart(5000)
    const call = await app.ended(id)
    expect(call).toMatchObject({ endReason: 'interrupted', result: null })
    expect(call.resultError).toBe('The call broke off before its result was made.')
  })

  it.each([
    [{ type: 'strng' }, /^resultSchema: it is wrong at \/type: it must be equal to one of/],
    [{ $ref: 'https://example.com/a.json' }, /^resultSchema: it cannot be used: .*example\.com/],
    [{ pattern: '(' }, /^resultSchema: it cannot be used: /],
  ])('is refused with 400 and what is wrong: %j', async (bad, message) => {
    const app = await start()
    const { status, json } = await app.post({ resultSchema: bad })
    expect(status).toBe(400)
    expect(json).toMatchObject({ code: 'invalid_request', error: expect.stringMatching(message) })
    expect((await app.ask<{ data: object[] }>('GET', '/calls')).data).toEqual([])
  })
})
