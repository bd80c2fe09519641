/** A whole road in real time: the executable, the phone that it calls, the receiver of its webhook. */
import { Appliance, type ApplianceOptions } from './appliance.ts'
import { openPhone, type Phone } from './phone.ts'
import { type Receiver, startReceiver } from './webhook-receiver.ts'

export interface Road {
  appliance: Appliance
  phone: Phone
  receiver: Receiver
  /** The webhook's. */
  secret: string
}

/** Starts all three; `end` takes what stops them again. */
export async function startRoad(
  end: (end: () => unknown) => void,
  o: ApplianceOptions = {},
): Promise<Road> {
  const receiver = await startReceiver()
  end(() => receiver.stop())
  const phone = await openPhone()
  end(() => phone.close())
  const { trunk, ...rest } = o
  const appliance = await Appliance.create({
    trunk: { port: phone.port, ...trunk },
    ca: receiver.ca,
    ...rest,
  })
  end(() => appliance.remove())
  await appliance.start()
  const { status, body } = await appliance.request('POST', '/api/v1/webhooks', {
    url: receiver.url,
  })
  if (status !== 201) throw new Error(`POST /webhooks: ${status} ${JSON.stringify(body)}`)
  return { appliance, phone, receiver, secret: String(body.secret) }
}
