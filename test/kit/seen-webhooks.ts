/** Webhooks and their deliveries as the API shows them, and calls that make some. */
import { NUMBER, type TestApp } from './app.ts'

export interface SeenWebhook {
  id: string
  active: boolean
  consecutiveFailures: number
  disabledAt: string | null
}

export interface SeenDelivery {
  id: string
  event: string
  callId: string
  state: string
  attempts: { at: string; status: number | null; durationMs: number; error: string | null }[]
  nextAttemptAt: string | null
}

/** The first webhook. */
export async function webhook(app: TestApp): Promise<SeenWebhook> {
  const { data } = await app.ask<{ data: SeenWebhook[] }>('GET', '/webhooks')
  if (!data[0]) throw new Error('there is no webhook')
  return data[0]
}

export async function deliveries(app: TestApp, id: string): Promise<SeenDelivery[]> {
  const path = `/webhooks/${id}/deliveries?limit=100`
  return (await app.ask<{ data: SeenDelivery[] }>('GET', path)).data
}

/** The id of a call that was refused as busy: it is over and its delivery has left. */
export async function callOver(app: TestApp, phoneNumber = NUMBER): Promise<string> {
  app.trunk.phone(phoneNumber, { status: 486, answersAfter: 100 })
  const id = await app.place({ phoneNumber })
  await app.ended(id)
  return id
}
