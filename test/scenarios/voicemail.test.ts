import { describe, expect, it } from 'vitest'
import { appForEachTest, HOOK_URL, NUMBER } from '../kit/app.ts'

const start = appForEachTest()

const GREETING = "You've reached Joe. Please leave a message after the beep."
const MESSAGE = 'This is Alex. Please call me back.'

/** An appliance that phones a voicemail. */
async function setup() {
  const app = await start({
    reply: (messages) => ({
      text: messages.at(-1)?.content.includes('Summarise') ? 'Nobody was there.' : 'Yes?',
    }),
  })
  await app.hook(HOOK_URL, ['call.completed'])
  app.trunk.phone(NUMBER, {
    says: [
      { at: 500, ms: 4000, text: GREETING },
      { at: 6000, ms: 400, text: '', hz: 1000 },
    ],
  })
  return app
}

describe('a call that a voicemail answers', () => {
  it('is hung up and told so', async () => {
    const app = await setup()
    const call = await app.ended(await app.place({ firstMessage: 'Hi.' }))
    expect(call).toMatchObject({
      status: 'completed',
      endReason: 'voicemail',
      voicemail: 'hangup',
    })
    await app.run(1000)
    expect(app.receiver.posts[0]?.call).toMatchObject({ endReason: 'voicemail' })
  })

  it('leaves the message that was asked for', async () => {
    const app = await setup()
    const voicemail = { leaveMessage: MESSAGE }
    const answer = await app.post({ firstMessage: 'Hi.', voicemail })
    expect(answer.json).toMatchObject({ voicemail })
    const call = await app.ended((answer.json as { id: string }).id)
    expect(call).toMatchObject({ endReason: 'voicemail', voicemail })
    expect(call.transcript.at(-1)).toEqual({ role: 'agent', text: MESSAGE })
  })
})
