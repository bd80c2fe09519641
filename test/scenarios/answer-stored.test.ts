import { expect, it } from 'vitest'
import { appForEachTest } from '../kit/app.ts'

const start = appForEachTest()

it('the dialog of an answered call is on disk before the call is told as answered', async () => {
  const app = await start()
  app.storageFails((_store, method) => method === 'markAnswered')
  const id = await app.place()
  await app.reaches(id, 'ringing')
  const stored = async () => (await app.database.calls.interrupted())[0]?.sip?.phase
  expect(await stored()).toBe('invite')
  await app.run(5_000)
  expect((await app.call(id)).status).toBe('ringing')
  expect(await stored()).toBe('dialog')
  app.storageMends()
  await app.ended(id)
})
