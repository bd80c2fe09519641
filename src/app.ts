/** The one composition root: where the parts of Landline meet. Straight-line code; tests hand in fakes. */
import { rateFor } from './billing/price.ts'
import type { TurnTiming } from './calls/call.ts'
import { createCallEvents } from './calls/call-events.ts'
import { dialPolicyRefusal } from './calls/call-request.ts'
import { createCancelCall } from './calls/cancel-call.ts'
import { createCreateCall } from './calls/create-call.ts'
import { createLiveCalls } from './calls/live-calls.ts'
import type { CallFilter, Trunk } from './calls/ports.ts'
import { listedCall, webhookCall, wholeCall } from './calls/public-call.ts'
import { createReadiness } from './calls/readiness.ts'
import { recoverCalls } from './calls/recover-calls.ts'
import { createRunCall } from './calls/run-call.ts'
import { sampleCall, sampleTranscript } from './calls/sample-call.ts'
import { createSettleCall } from './calls/settle-call.ts'
import type { Config } from './config/config.ts'
import type { Engines } from './conversation/ports.ts'
import { createTalker } from './conversation/talker.ts'
import { type Clock, sleep } from './core/clock.ts'
import { type Ids, sha256 } from './core/ids.ts'
import { type Part, startAll, stopAll } from './core/lifecycle.ts'
import type { Log } from './core/log.ts'
import type { Probe } from './core/probe.ts'
import { createHttp } from './http/server.ts'
import type { ApiServices, Page } from './http/services.ts'
import type { Metrics } from './observability/metrics.ts'
import { createScheduler } from './scheduler/scheduler.ts'
import type { Storage } from './storage/open.ts'
import { ratesOf } from './telephony/codecs/formats.ts'
import { type AddressPolicy, checkWebhookUrl } from './webhooks/address-policy.ts'
import { createDeliver } from './webhooks/deliver.ts'
import { createManageWebhooks } from './webhooks/manage-webhooks.ts'
import type { Post } from './webhooks/ports.ts'

/** How long a claim on a job holds without a sign of life. */
const LEASE_MS = 15_000
const DEFAULT_MAX_DURATION_SECONDS = 600
/** Deliveries that run at once, over all webhooks. */
const DELIVERIES_AT_ONCE = 256
/** How long `stop` waits for calls and deliveries under way. */
const DRAIN_MS = 9500

/** Everything with a life outside of this process's memory. */
export interface Outside {
  clock: Clock
  ids: Ids
  log: Log
  storage: Storage
  trunk: Trunk
  engines: Engines
  metrics: Metrics
  post: Post
  resolve(host: string): Promise<string[]>
  addressPolicy: AddressPolicy
  /** What starts before the calls and stops after them: trunks, media, engines. */
  parts: readonly Part[]
  /** PEM texts, when the API speaks HTTPS. */
  tls?: { cert: string; key: string } | undefined
}

export interface App extends Part {
  fetch(request: Request): Promise<Response>
  /** Where the API listens. Throws before `start`. */
  url(): string
}

export function createApp(config: Config, o: Outside): App {
  const { clock, ids, log, storage, metrics } = o
  const { calls, jobs, webhooks, ledger, keys } = storage
  const billingEnabled = config.billing.enabled

  const live = createLiveCalls({ onSize: (size) => metrics.activeCalls(size) })
  const events = createCallEvents({ calls })
  const readiness = createReadiness({
    clock,
    probe: () => probeEngines(o.engines),
    trunkNumbers: config.sip.trunks.flatMap((trunk) => trunk.numbers),
    hasTrunk: config.sip.trunks.length > 0,
  })
  const talker = createTalker({
    clock,
    log,
    engines: o.engines,
    options: {
      timezone: config.account.timezone,
      llmTimeoutMs: config.llm.timeoutMs,
      language: 'en',
      rates: ratesOf(config.sip.trunks.flatMap(({ codecs }) => codecs)),
    },
  })

  const settle = createSettleCall({
    clock,
    calls,
    billingEnabled,
    onSettled(call) {
      events.notify(call.id)
      scheduler.wake()
      const { status, endReason, durationSeconds } = call
      metrics.callEnded({ status, endReason, durationSeconds })
    },
  })
  const runCall = createRunCall({
    clock,
    log,
    calls,
    trunk: o.trunk,
    talker,
    readiness,
    live,
    events,
    settle,
    dialRefusal: (number) => dialPolicyRefusal(number, config.calls),
    onTiming: (timing) => metrics.answer(stagesOf(timing)),
    onDue: () => scheduler.wake(),
    options: {
      billingEnabled,
      ringTimeoutMs: config.calls.ringTimeoutMs,
      maxLatenessMs: config.calls.maxLatenessMs,
    },
  })
  const deliver = createDeliver({
    clock,
    ids,
    log,
    webhooks,
    post: o.post,
    options: { timeoutMs: config.webhooks.timeoutMs, retryBaseMs: config.webhooks.retryBaseMs },
    onAttempt: ({ delivered }) => metrics.delivery(delivered ? 'delivered' : 'retried'),
  })

  const scheduler = createScheduler({
    clock,
    ids,
    log,
    jobs,
    leaseMs: LEASE_MS,
    maxParallel: config.calls.maxConcurrent + DELIVERIES_AT_ONCE,
    handlers: {
      async 'call.run'({ id, fence, key }, { signal }) {
        const result = await runCall(key, { jobId: id, fence }, signal)
        if ('again' in result) await jobs.release({ id, fence, runAt: result.again })
      },
      'webhook.deliver': ({ id, fence, key }) => deliver(key, { jobId: id, fence }),
    },
  })

  let accepting = true
  const createCall = createCreateCall({
    clock,
    ids,
    calls,
    readiness,
    rateFor: (number) =>
      rateFor(number, {
        centsPerMinute: config.billing.centsPerMinute,
        byPrefix: config.billing.rates,
      }),
    options: {
      billingEnabled,
      maxQueued: config.calls.maxQueued,
      defaultMaxDurationSeconds: DEFAULT_MAX_DURATION_SECONDS,
    },
    accepting: () => accepting,
    onCreated: () => scheduler.wake(),
  })
  const cancelCall = createCancelCall({ clock, calls, live, settle })
  const manageWebhooks = createManageWebhooks({
    clock,
    ids,
    store: webhooks,
    post: o.post,
    checkUrl: (url) => checkWebhookUrl(url, { policy: o.addressPolicy, resolve: o.resolve }),
    sampleCall: (now) => webhookCall(sampleCall(now), sampleTranscript(now)),
    options: { timeoutMs: config.webhooks.timeoutMs },
    onDue: () => scheduler.wake(),
  })

  async function probes(): Promise<readonly Probe[]> {
    const engines = readiness.probes()
    return [await storage.probe(), ...(await o.trunk.probes()), ...engines]
  }

  async function page(filter: CallFilter): Promise<Page> {
    const rows = await calls.list({ ...filter, limit: filter.limit + 1 })
    const data = rows.slice(0, filter.limit)
    const last = rows.length > filter.limit ? data.at(-1) : undefined
    const next = last ? { createdAt: last.createdAt, id: last.id } : null
    return { data: data.map(listedCall), next }
  }

  async function whole(id: string): Promise<object | null> {
    const call = await calls.get(id)
    if (!call) return null
    const parts = [calls.transcript(id), calls.events(id, 0), calls.timings(id)] as const
    return wholeCall(call, ...(await Promise.all(parts)))
  }

  const services: ApiServices = {
    clock,
    ids,
    log,
    async authenticate(rawKey) {
      const key = await keys.findByHash(sha256(rawKey))
      return key && { keyId: key.id }
    },
    async me() {
      const { id, name, balanceCents } = await ledger.account()
      return { id, name, phoneNumber: readiness.trunkNumbers()[0] ?? null, balance: balanceCents }
    },
    calls: {
      rules: () => ({
        ownNumbers: readiness.trunkNumbers(),
        allowedPrefixes: config.calls.allowedPrefixes,
        blockedPrefixes: config.calls.blockedPrefixes,
      }),
      async create(request, { idempotency }) {
        await readiness.first()
        return createCall(request, { idempotency })
      },
      get: whole,
      list: page,
      async cancel(id) {
        await cancelCall(id)
        return (await whole(id)) ?? {}
      },
      async events(id, afterSeq, signal) {
        return (await calls.get(id)) && events.watch(id, afterSeq, signal)
      },
    },
    webhooks: manageWebhooks,
    probes,
    onAnswer: (answer) => metrics.httpRequest(answer),
    metrics: () => metrics.text(),
  }
  const http = createHttp({
    services,
    host: config.http.host,
    port: config.http.port,
    rateLimitPerSecond: config.http.rateLimit,
    tls: o.tls,
  })

  let draining: Promise<void> | undefined
  async function drain(): Promise<void> {
    accepting = false
    const drained = scheduler.stop()
    live.stopAll('shutdown')
    await Promise.race([drained, sleep(clock, DRAIN_MS)])
  }

  /** Lanes first, then what an earlier process left open; only then are jobs claimed. */
  const work: Part = {
    async start() {
      await jobs.setLane({
        name: 'calls',
        capacity: config.calls.maxConcurrent,
        paceMs: Math.ceil(1000 / config.calls.perSecond),
      })
      await recoverCalls({ log, calls, trunk: o.trunk, settle })
      await scheduler.start()
    },
    stop: () => (draining ??= drain()),
  }
  const parts = [...o.parts, readiness, work, http]

  return {
    start: () => startAll(parts),
    // The API answers until the calls have ended: whoever watches one sees its end.
    async stop() {
      await work.stop()
      await stopAll(parts)
      await storage.close()
    },
    fetch: (request) => http.fetch(request),
    url: () => http.url(),
  }
}

/** The stages of an answer as durations, where both of their ends are known. */
function stagesOf(timing: TurnTiming): Parameters<Metrics['answer']>[0] {
  const between = (from: number | null, to: number | null): number | null =>
    from === null || to === null ? null : to - from
  return {
    responseGapMs: between(timing.speechEnd, timing.onWire),
    overheadMs: null,
    firstTokenMs: between(timing.finalText, timing.firstToken),
    firstSoundMs: between(timing.firstToken, timing.firstSound),
  }
}

/** Asks each engine; the speech detector, which is built in, is begun only where a call is possible at all. */
async function probeEngines({ recogniser, model, voice, speech }: Engines): Promise<Probe[]> {
  const asked = await Promise.all([recogniser.probe(), model.probe(), voice.probe()])
  const possible = asked.every((probe) => probe.state !== 'missing')
  return possible ? [await speech.probe(), ...asked] : asked
}
