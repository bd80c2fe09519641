import { describe, expect, it } from 'vitest'
import type { Attempt, Delivery, DeliveryFence, Webhook } from '../../src/webhooks/ports.ts'
import {
  answeredCall,
  aWebhook,
  claim,
  type OpenStores,
  type StoresUnderTest,
  settle,
  withStores,
} from './stores.ts'

const HOUR_MS = 3_600_000

/** What every WebhookStore does. */
export function exerciseWebhookStore(name: string, open: OpenStores): void {
  const check = (title: string, use: (s: StoresUnderTest) => Promise<void>): void =>
    it(title, () => withStores(open, use))

  describe(`${name}: webhooks`, () => {
    check('are kept as they are, secrets and all', async (s) => {
      const first = aWebhook(s, { events: ['call.started', '*'] })
      const previous = { previousSecret: 'whsec_old', previousSecretUntil: 99 }
      const second = aWebhook(s, previous)
      await s.webhooks.create(first)
      await s.webhooks.create(second)
      expect(await s.webhooks.get(first.id)).toEqual(first)
      expect(await s.webhooks.get(second.id)).toEqual(second)
      const { secret, previousSecret: _p, previousSecretUntil: _u, ...info } = second
      expect(await s.webhooks.info(second.id)).toEqual(info)
      expect(await s.webhooks.info('unknown')).toBeNull()
      const listed = await s.webhooks.list()
      expect(listed.map(({ id }) => id)).toEqual([first.id, second.id])
      expect(JSON.stringify(listed)).not.toContain(secret)
      expect(await s.webhooks.get('unknown')).toBeNull()
    })

    check('change in what a patch names', async (s) => {
      const hook = aWebhook(s)
      await s.webhooks.create(hook)
      const url = 'https://example.org/'
      expect(await s.webhooks.update(hook.id, { url })).toEqual({
        ...(await s.webhooks.info(hook.id)),
        url,
      })
      const rotated = { secret: 'whsec_new', previousSecret: hook.secret, previousSecretUntil: 7 }
      for (const patch of [rotated, {}]) {
        await s.webhooks.update(hook.id, patch)
        expect(await s.webhooks.get(hook.id)).toEqual({ ...hook, url, ...rotated })
      }
      await s.webhooks.update(hook.id, { previousSecret: null, previousSecretUntil: null })
      expect(await s.webhooks.get(hook.id)).toMatchObject({ previousSecret: null })
      expect(await s.webhooks.update('unknown', { url })).toBeNull()
    })

    check('go with their deliveries and their jobs', async (s) => {
      const { hook, delivery, fence } = await claimedDelivery(s)
      await fail(s, delivery, fence)
      const kept = await pending(s)
      expect(await s.webhooks.remove(hook.id)).toBe(true)
      expect(await s.webhooks.remove(hook.id)).toBe(false)
      expect(await s.webhooks.get(hook.id)).toBeNull()
      expect(await s.webhooks.delivery(delivery.id)).toBeNull()
      expect((await claim(s, 'webhook.deliver'))?.key).toBe(kept.delivery.id)
      expect(await claim(s, 'webhook.deliver')).toBeNull()
    })

    check('keep no lane when they are gone: an attempt under way writes nothing', async (s) => {
      const { hook, delivery, fence } = await claimedDelivery(s)
      await s.webhooks.remove(hook.id)
      expect(await succeed(s, delivery, fence)).toBe(false)
      expect(await fail(s, delivery, fence)).toBeNull()
    })
  })

  describe(`${name}: deliveries`, () => {
    check('are listed newest first, page by page', async (s) => {
      const hook = aWebhook(s)
      await s.webhooks.create(hook)
      for (let i = 0; i < 5; i++) {
        await settledCall(s)
        if (i % 2) s.clock.jump(1)
      }
      const all = await s.webhooks.deliveries(hook.id, { limit: 9, cursor: null })
      expect(all).toHaveLength(5)
      const order = all.map((one) => `${one.createdAt} ${one.id}`)
      expect(order).toEqual([...order].sort().reverse())
      const cursor = all[1] ?? null
      expect(await s.webhooks.deliveries(hook.id, { limit: 2, cursor })).toEqual(all.slice(2, 4))
    })

    check('that succeed are done, clear the count and open the lane', async (s) => {
      const { hook, delivery, fence } = await claimedDelivery(s)
      const attempts = [attemptAt(s.clock.now(), 500)]
      await fail(s, delivery, fence, { probeAt: s.clock.now() + 10, wait: 10 })
      s.clock.jump(10)
      await settledCall(s)
      const again = await claimDelivery(s)
      expect(again?.delivery.id).toBe(delivery.id)
      expect(await claim(s, 'webhook.deliver')).toBeNull()
      attempts.push(attemptAt(s.clock.now(), 200))
      expect(await succeed(s, delivery, again?.fence ?? fence)).toBe(true)
      expect(await s.webhooks.delivery(delivery.id)).toMatchObject({
        state: 'delivered',
        nextAttemptAt: null,
        failures: 1,
        attempts,
      })
      expect((await s.webhooks.get(hook.id))?.consecutiveFailures).toBe(0)
      expect(await claim(s, 'webhook.deliver')).not.toBeNull()
      expect(await s.jobs.complete({ id: fence.jobId, fence: fence.fence + 1 })).toBe(false)
    })

    check('that fail are tried again at their time, one at a time after the probe', async (s) => {
      const { hook, delivery, fence } = await claimedDelivery(s)
      for (let i = 0; i < 3; i++) await settledCall(s)
      const now = s.clock.now()
      expect(await fail(s, delivery, fence, { wait: 100, probeAt: now + 50 })).toBe('pending')
      expect(await s.webhooks.delivery(delivery.id)).toMatchObject({
        state: 'pending',
        failures: 1,
        nextAttemptAt: now + 100,
        attempts: [attemptAt(now, 500)],
      })
      expect((await s.webhooks.get(hook.id))?.consecutiveFailures).toBe(1)
      expect(await claim(s, 'webhook.deliver')).toBeNull()
      expect(await s.jobs.nextDue({ kinds: ['webhook.deliver'] })).toBe(now + 50)
      s.clock.jump(50)
      const probe = await claimDelivery(s)
      expect(probe?.delivery.id).not.toBe(delivery.id)
      expect(await claim(s, 'webhook.deliver')).toBeNull()
    })

    check('of one webhook go four at once at most', async (s) => {
      await s.webhooks.create(aWebhook(s))
      for (let i = 0; i < 5; i++) await settledCall(s)
      for (let i = 0; i < 4; i++) expect(await claim(s, 'webhook.deliver')).not.toBeNull()
      expect(await claim(s, 'webhook.deliver')).toBeNull()
    })

    check('that fail at the same time are counted each', async (s) => {
      const hook = aWebhook(s)
      await s.webhooks.create(hook)
      for (let i = 0; i < 4; i++) await settledCall(s)
      const claimed = [0, 1, 2, 3].map(() => claimDelivery(s))
      for (const one of await Promise.all(claimed))
        if (one) await fail(s, one.delivery, one.fence, { consecutiveFailures: 1 })
      expect((await s.webhooks.get(hook.id))?.consecutiveFailures).toBe(4)
    })

    check('that fail at the same time disable the webhook with the tenth failure', async (s) => {
      const hook = aWebhook(s, { consecutiveFailures: 7 })
      await s.webhooks.create(hook)
      for (let i = 0; i < 4; i++) await settledCall(s)
      const claimed = await Promise.all([0, 1, 2, 3].map(() => claimDelivery(s)))
      // Each of them read the count before another was written.
      for (const one of claimed.slice(0, 3))
        if (one) await fail(s, one.delivery, one.fence, { consecutiveFailures: 8 })
      expect(await s.webhooks.get(hook.id)).toMatchObject({
        ...{ active: false, consecutiveFailures: 10 },
        disabledAt: expect.any(Number),
      })
      const states = (await s.webhooks.deliveries(hook.id, { limit: 9, cursor: null })).map(
        ({ state }) => state,
      )
      expect(states).toEqual(['waiting', 'waiting', 'waiting', 'waiting'])
    })

    check('that have used up their retries have failed', async (s) => {
      const { delivery, fence } = await claimedDelivery(s)
      expect(await fail(s, delivery, fence, { wait: null })).toBe('failed')
      const failed = { state: 'failed', failures: 1, nextAttemptAt: null }
      expect(await s.webhooks.delivery(delivery.id)).toMatchObject(failed)
      expect(await s.jobs.nextDue({ kinds: ['webhook.deliver'] })).toBeNull()
    })

    check('write nothing under an old fence', async (s) => {
      const { delivery, fence } = await claimedDelivery(s)
      await s.jobs.rescue({ now: s.clock.now(), all: true })
      const taken = await claimDelivery(s)
      expect(await succeed(s, delivery, fence)).toBe(false)
      expect(await fail(s, delivery, fence)).toBeNull()
      expect(await s.webhooks.park({ deliveryId: delivery.id, fence })).toBe(false)
      expect((await s.webhooks.delivery(delivery.id))?.attempts).toEqual([])
      expect(await succeed(s, delivery, taken?.fence ?? fence)).toBe(true)
    })
  })

  describe(`${name}: a disabled webhook`, () => {
    check('keeps what is pending waiting, and what comes later too', async (s) => {
      const { hook, delivery, fence } = await claimedDelivery(s)
      await settledCall(s)
      const at = s.clock.now()
      await fail(s, delivery, fence, { disable: true, consecutiveFailures: 10 })
      expect(await s.webhooks.get(hook.id)).toMatchObject({
        active: false,
        disabledAt: at + 20,
        consecutiveFailures: 10,
      })
      await settledCall(s)
      expect(await states(s, hook)).toEqual(['waiting', 'waiting', 'waiting'])
      s.clock.jump(HOUR_MS)
      expect(await claim(s, 'webhook.deliver')).toBeNull()
      expect(await s.jobs.nextDue({ kinds: ['webhook.deliver'] })).toBeNull()
    })

    check('still learns how an attempt under way ended', async (s) => {
      const { hook, delivery, fence } = await claimedDelivery(s)
      await settledCall(s)
      await settledCall(s)
      const second = await claimDelivery(s)
      const third = await claimDelivery(s)
      if (!second || !third) throw new Error('nothing claimed')
      await fail(s, delivery, fence, { disable: true })
      expect(await succeed(s, second.delivery, second.fence)).toBe(true)
      expect(await fail(s, third.delivery, third.fence)).toBe('waiting')
      expect(await states(s, hook)).toEqual(['waiting', 'delivered', 'waiting'])
      expect((await s.webhooks.get(hook.id))?.active).toBe(false)
    })

    check('sends what waited at once when it is enabled, and gives up what is older', async (s) => {
      const hook = aWebhook(s, { active: false, disabledAt: 1, consecutiveFailures: 10 })
      await s.webhooks.create(hook)
      await settledCall(s)
      s.clock.jump(10 * HOUR_MS)
      const since = s.clock.now()
      await settledCall(s)
      s.clock.jump(HOUR_MS)
      const now = s.clock.now()
      expect(await s.webhooks.enable(hook.id, { since, now })).toMatchObject({
        active: true,
        disabledAt: null,
        consecutiveFailures: 0,
      })
      expect(await states(s, hook)).toEqual(['pending', 'failed'])
      expect(await claim(s, 'webhook.deliver')).not.toBeNull()
      expect(await claim(s, 'webhook.deliver')).toBeNull()
      expect(await s.webhooks.enable('unknown', { since, now })).toBeNull()
    })

    check('sends a large backlog, oldest first, though it is written part by part', async (s) => {
      const hook = aWebhook(s, { active: false, disabledAt: 1 })
      await s.webhooks.create(hook)
      for (let i = 0; i < 250; i++) await settledCall(s)
      const now = s.clock.now()
      await s.webhooks.enable(hook.id, { since: 0, now })
      const all = await s.webhooks.deliveries(hook.id, { limit: 300, cursor: null })
      expect(all).toHaveLength(250)
      expect(new Set(all.map((one) => one.state))).toEqual(new Set(['pending']))
      expect((await claimDelivery(s))?.delivery.id).toBe(all.at(-1)?.id)
    })

    check(
      'takes up what an enabling that was cut short left waiting, and nothing else',
      async (s) => {
        const { hook, delivery, fence } = await claimedDelivery(s)
        await s.webhooks.park({ deliveryId: delivery.id, fence })
        const off = aWebhook(s, { active: false, disabledAt: 1 })
        await s.webhooks.create(off)
        await settledCall(s)
        const o = { since: 0, now: s.clock.now() }
        await s.webhooks.resume(o)
        expect(await states(s, hook)).toEqual(['pending', 'pending'])
        expect(await states(s, off)).toEqual(['waiting'])
      },
    )

    check('that is active already has its count cleared, and waits for no probe', async (s) => {
      const { hook, delivery, fence } = await claimedDelivery(s)
      await settledCall(s)
      const probeAt = s.clock.now() + HOUR_MS
      expect(await fail(s, delivery, fence, { probeAt, wait: 9 * HOUR_MS })).toBe('pending')
      expect(await claimDelivery(s)).toBeNull()
      const enabled = await s.webhooks.enable(hook.id, { since: 0, now: s.clock.now() })
      expect(enabled).toMatchObject({ active: true, consecutiveFailures: 0 })
      expect(await claimDelivery(s)).not.toBeNull()
    })

    check('does not wait for its next probe once it is enabled', async (s) => {
      const { hook, delivery, fence } = await claimedDelivery(s)
      await fail(s, delivery, fence, { disable: true, probeAt: s.clock.now() + HOUR_MS })
      await s.webhooks.enable(hook.id, { since: 0, now: s.clock.now() })
      expect((await claimDelivery(s))?.delivery.id).toBe(delivery.id)
    })

    check('switched off by hand keeps what waits, and makes nothing new', async (s) => {
      const { hook, delivery } = await pending(s)
      await s.webhooks.update(hook.id, { active: false })
      await settledCall(s)
      expect(await states(s, hook)).toEqual(['waiting'])
      expect(await claim(s, 'webhook.deliver')).toBeNull()
      await s.webhooks.enable(hook.id, { since: 0, now: s.clock.now() })
      expect((await claimDelivery(s))?.delivery.id).toBe(delivery.id)
    })

    check('sets a claimed delivery aside until it is enabled', async (s) => {
      const { hook, delivery, fence } = await claimedDelivery(s)
      expect(await s.webhooks.park({ deliveryId: delivery.id, fence })).toBe(true)
      expect(await states(s, hook)).toEqual(['waiting'])
      expect(await s.jobs.nextDue({ kinds: ['webhook.deliver'] })).toBeNull()
      await s.webhooks.enable(hook.id, { since: 0, now: s.clock.now() })
      expect((await claimDelivery(s))?.delivery.attempts).toEqual([])
    })
  })

  describe(`${name}: sending again by hand`, () => {
    check('goes past the probing, under the same id, with all retries', async (s) => {
      const { hook, delivery, fence } = await claimedDelivery(s)
      await settledCall(s)
      const far = { wait: HOUR_MS, probeAt: s.clock.now() + HOUR_MS }
      await fail(s, delivery, fence, far)
      expect(await s.webhooks.redeliver(delivery.id, s.clock.now())).toBe(true)
      const again = await claimDelivery(s)
      expect(again?.delivery).toMatchObject({ id: delivery.id, failures: 0, state: 'pending' })
      expect(again?.delivery.attempts).toHaveLength(1)
      // Its failure goes back into the lane.
      await fail(s, delivery, again?.fence ?? fence, far)
      s.clock.jump(HOUR_MS)
      expect(await claim(s, 'webhook.deliver')).not.toBeNull()
      expect(await claim(s, 'webhook.deliver')).toBeNull()
      expect(await states(s, hook)).toEqual(['pending', 'pending'])
    })

    check('sends what was delivered or has failed once more', async (s) => {
      const { delivery, fence } = await claimedDelivery(s)
      await succeed(s, delivery, fence)
      await s.webhooks.redeliver(delivery.id, s.clock.now())
      const second = await claimDelivery(s)
      expect(second?.delivery.body).toBe(delivery.body)
      await fail(s, delivery, second?.fence ?? fence, { wait: null })
      await s.webhooks.redeliver(delivery.id, s.clock.now())
      expect((await claimDelivery(s))?.delivery.id).toBe(delivery.id)
      expect(await s.webhooks.redeliver('unknown', s.clock.now())).toBe(false)
    })
  })
}

async function settledCall(s: StoresUnderTest): Promise<void> {
  const { call, fence } = await answeredCall(s, { holdCents: 0 })
  await settle(s, call.id, { fence, charge: false })
}

/** A webhook with one pending delivery. */
async function pending(s: StoresUnderTest): Promise<{ hook: Webhook; delivery: Delivery }> {
  const hook = aWebhook(s)
  await s.webhooks.create(hook)
  await settledCall(s)
  const delivery = (await s.webhooks.deliveries(hook.id, { limit: 1, cursor: null }))[0]
  if (!delivery) throw new Error('no delivery was made')
  return { hook, delivery }
}

async function claimDelivery(
  s: StoresUnderTest,
): Promise<{ delivery: Delivery; fence: DeliveryFence } | null> {
  const job = await claim(s, 'webhook.deliver')
  const delivery = job && (await s.webhooks.delivery(job.key))
  return delivery && job ? { delivery, fence: { jobId: job.id, fence: job.fence } } : null
}

async function claimedDelivery(
  s: StoresUnderTest,
): Promise<{ hook: Webhook; delivery: Delivery; fence: DeliveryFence }> {
  const { hook } = await pending(s)
  const claimed = await claimDelivery(s)
  if (!claimed) throw new Error('nothing claimed')
  return { hook, ...claimed }
}

async function states(s: StoresUnderTest, hook: Webhook): Promise<string[]> {
  const found = await s.webhooks.deliveries(hook.id, { limit: 9, cursor: null })
  return found.map((one) => one.state)
}

function attemptAt(at: number, status: number): Attempt {
  return { at, status, durationMs: 20, error: null, responseExcerpt: 'text' }
}

function succeed(s: StoresUnderTest, delivery: Delivery, fence: DeliveryFence): Promise<boolean> {
  const attempt = attemptAt(s.clock.now(), 200)
  return s.webhooks.recordSuccess({ deliveryId: delivery.id, fence, attempt })
}

function fail(
  s: StoresUnderTest,
  delivery: Delivery,
  fence: DeliveryFence,
  o: {
    wait?: number | null
    consecutiveFailures?: number
    disable?: boolean
    probeAt?: number
  } = {},
): ReturnType<StoresUnderTest['webhooks']['recordFailure']> {
  const now = s.clock.now()
  const { wait = 100, consecutiveFailures = 1, disable = false, probeAt = now } = o
  return s.webhooks.recordFailure({
    deliveryId: delivery.id,
    fence,
    attempt: attemptAt(now, 500),
    nextAttemptAt: wait === null ? null : now + wait,
    consecutiveFailures,
    disable,
    probeAt,
    now,
  })
}
