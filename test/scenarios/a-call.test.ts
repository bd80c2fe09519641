import { describe, expect, it } from 'vitest'
import { GOODBYE, HOOK_URL, NUMBER, OUR_NUMBER, TestApp } from '../kit/app.ts'
import { endAfterEach } from '../kit/end-after-each.ts'
import { isSignedBy } from '../kit/fake-receiver.ts'

const end = endAfterEach()

async function setup(o: Parameters<typeof TestApp.start>[0] = {}): Promise<TestApp> {
  const app = await TestApp.start(o)
  end(() => app.close())
  return app
}

describe('a call', () => {
  it('goes from POST to a signed webhook with transcript, summary, cost and duration', async () => {
    const app = await setup()
    const { secret } = await app.hook()
    app.trunk.phone(NUMBER, { says: [GOODBYE] })
    const id = await app.place({ firstMessage: 'Hi, I would like a pizza.', name: "Joe's Pizza" })
    const call = await app.ended(id)
    console.log(JSON.stringify(call, null, 1), app.log)
    await app.run(1000)
    console.log(app.receiver.posts, isSignedBy(secret, app.receiver.posts[0]!))
    console.log(app.placed(id).map(({leg, ...r})=>r), HOOK_URL, OUR_NUMBER)
    expect(call.status).toBe('completed')
  })
})
