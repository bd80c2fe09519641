/** The one composition root: where the parts of Landline meet. Straight-line code; tests hand in fakes. */
import { stagesOf } from './answer-stages.ts'
import { rateFor } from './billing/price.ts'
import type { TurnTiming } from './calls/call.ts'
import { createCallBack } from './calls/call-back.ts'
import { createCallEvents } from './calls/call-events.ts'
import { dialPolicyRefusal } from './calls/call-request.ts'
import { createCallTraces } from './calls/call-trace.ts'
import { createCancelCall } from './calls/cancel-call.ts'
import { createCreateCall } from './calls/create-call.ts'
import { createLiveCalls } from './calls/live-calls.ts'
import { createManageNumbers } from './calls/own-number.ts'
import { webhookCall } from './calls/public-call.ts'
import { type AskedEngine, createReadiness } from './calls/readiness.ts'
import { createReceiveCall } from './calls/receive-call.ts'
import { recoverCalls } from './calls/recover-calls.ts'
import { createRunCall } from './calls/run-call.ts'
import { sampleCall, sampleTranscript } from './calls/sample-call.ts'
import { createSettleCall } from './calls/settle-call.ts'
import { warnMissing } from './calls/warn-missing.ts'
import type { Config } from './config/config.ts'
import type { Engines } from './conversation/ports.ts'
import { createTalker } from './conversation/talker.ts'
import { reasonOf } from './core/errors.ts'
import { type Part, startAll } from './core/lifecycle.ts'
import { createHttp } from './http/server.ts'
import type { Outside } from './outside.ts'
import { createScheduler } from './scheduler/scheduler.ts'
import { createServices } from './services.ts'
import { createShutdown } from './shutdown.ts'
import { CALL_JOB, CALL_LANE, DELIVERY_JOB } from './storage/job-rows.ts'
import { ratesOf } from './telephony/codecs/formats.ts'
import { checkWebhookUrl } from './webhooks/address-policy.ts'
import { createDeliver } from './webhooks/deliver.ts'
import { createManageWebhooks } from './webhooks/manage-webhooks.ts'

/** How long a claim on a job holds without a sign of life. */
const LEASE_MS = 15_000
const DEFAULT_MAX_DURATION_SECONDS = 600
/** Deliveries that run at once, over all webhooks. */
const DELIVERIES_AT_ONCE = 256

export interface App extends Part {
  fetch(request: Request): Promise<Response>
  /** Where the API listens. Throws before `start`. */
  url(): string
}

export function createApp(config: Config, o: Outside): App {
  const { clock, ids, log, storage, metrics } = o
  const { calls, jobs, webhooks } = storage
  const billingEnabled = config.billing.enabled

  const live = createLiveCalls({ onSize: (size) => metrics.activeCalls(size) })
  const events = createCallEvents({ calls })
  const traces = createCallTraces({ clock, log, calls })
  const readiness = createReadiness({
    clock,
    engines: askedEngines(o.engines),
    trunkNumbers: config.sip.trunks.flatMap((trunk) => trunk.numbers),
    hasTrunk: config.sip.trunks.length > 0,
  })
  const talker = createTalker({
    clock,
    log,
    engines: o.engines,
    schemas: o.schemas,
    callBack: (callId, at) => callBack(callId, at),
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
      log.info('call ended', { callId: call.id, status, endReason, durationSeconds })
      metrics.callEnded({ status, endReason, durationSeconds })
    },
  })
  const rate = (number: string): number =>
    rateFor(number, {
      centsPerMinute: config.billing.centsPerMinute,
      byPrefix: config.billing.rates,
    })
  const onCalls = {
    clock,
    log,
    calls,
    talker,
    readiness,
    live,
    events,
    traces,
    settle,
    dialRefusal: (number: string) => dialPolicyRefusal(number, config.calls),
    onTiming: (timing: TurnTiming) => metrics.answer(stagesOf(timing)),
    onDue: () => scheduler.wake(),
  }
  const runCall = createRunCall({
    ...onCalls,
    trunk: o.trunk,
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
    onAttempt: (state) => metrics.delivery(state === 'pending' ? 'retried' : state),
  })

  const scheduler = createScheduler({
    clock,
    ids,
    log,
    jobs,
    leaseMs: LEASE_MS,
    maxParallel: { [CALL_JOB]: config.calls.maxConcurrent, [DELIVERY_JOB]: DELIVERIES_AT_ONCE },
    handlers: {
      async [CALL_JOB]({ id, fence, key }, { signal }) {
        const result = await runCall(key, { jobId: id, fence }, signal)
        if ('again' in result) await jobs.release({ id, fence, runAt: result.again, unbegun: true })
      },
      [DELIVERY_JOB]: ({ id, fence, key }, { signal }) =>
        deliver(key, { jobId: id, fence }, signal),
    },
  })

  let accepting = true
  let receiving = false
  const received = createReceiveCall({
    ...onCalls,
    ids,
    numbers: storage.numbers,
    rateFor: rate,
    accepting: () => receiving && accepting,
    underLease: (claim, work) =>
      scheduler.adopt(
        async (lease) => {
          const claimed = await claim(lease)
          if (!claimed) return null
          const { callId, fence } = claimed
          const job = { id: fence.jobId, fence: fence.fence, kind: CALL_JOB, key: callId }
          return { ...job, attempt: 1, runAt: clock.now() }
        },
        ({ id, fence }, { signal }) => work({ jobId: id, fence }, signal),
      ),
    options: { billingEnabled, defaultMaxDurationSeconds: DEFAULT_MAX_DURATION_SECONDS },
  })
  o.trunk.takeCalls(received.receive)
  const createCall = createCreateCall({
    clock,
    ids,
    calls,
    readiness,
    rateFor: rate,
    schemas: o.schemas,
    options: {
      billingEnabled,
      maxQueued: config.calls.maxQueued,
      defaultMaxDurationSeconds: DEFAULT_MAX_DURATION_SECONDS,
    },
    accepting: () => accepting,
    onCreated: () => scheduler.wake(),
  })
  const callBack = createCallBack({ clock, calls, createCall })
  const cancelCall = createCancelCall({ clock, calls, live, settle })
  const manageWebhooks = createManageWebhooks({
    clock,
    ids,
    store: webhooks,
    post: o.post,
    checkUrl: (url) => checkWebhookUrl(url, { clock, policy: o.addressPolicy, resolve: o.resolve }),
    sampleCall: (now) => webhookCall(sampleCall(now), sampleTranscript(now)),
    options: { timeoutMs: config.webhooks.timeoutMs },
    onDue: () => scheduler.wake(),
  })

  const numbers = createManageNumbers({
    clock,
    store: storage.numbers,
    schemas: o.schemas,
    rules: () => ({
      ...config.calls,
      ownNumbers: readiness.trunkNumbers(),
      voices: () => o.engines.voice.voices(),
    }),
    defaultMaxDurationSeconds: DEFAULT_MAX_DURATION_SECONDS,
  })

  const services = createServices({
    config,
    clock,
    ids,
    log,
    storage,
    metrics,
    readiness,
    events,
    traces,
    createCall,
    cancelCall,
    webhooks: manageWebhooks,
    numbers,
    probeTrunks: () => o.trunk.probes(),
    voices: () => o.engines.voice.voices(),
  })
  const http = createHttp({
    services,
    host: config.http.host,
    port: config.http.port,
    rateLimitPerSecond: config.http.rateLimit,
    tls: o.tls,
  })

  let hungUp: Promise<void> = Promise.resolve()
  async function drain(): Promise<void> {
    accepting = false
    await readiness.stop()
    const idle = scheduler.stop()
    live.stopAll('shutdown')
    await Promise.all([idle, received.idle(), hungUp])
  }

  /** Lanes first, then what an earlier process left open; only then are jobs claimed. */
  const work: Part = {
    async start() {
      await jobs.setLane({
        name: CALL_LANE,
        capacity: config.calls.maxConcurrent,
        paceMs: Math.ceil(1000 / config.calls.perSecond),
      })
      hungUp = (await recoverCalls({ log, calls, trunk: o.trunk, settle })).hungUp
      await scheduler.start()
      receiving = true
      manageWebhooks
        .resume()
        .catch((error) => log.error('deliveries still wait', { reason: reasonOf(error) }))
    },
    stop: drain,
  }
  const shutDown = createShutdown({
    clock,
    log,
    drain,
    breakOffPosts: () => scheduler.abort(DELIVERY_JOB, 'shutdown'),
    parts: o.parts,
    http,
    close: () => storage.close(),
  })
  let stopped: Promise<void> | undefined

  return {
    // The API answers first: what an earlier process left open is ended while the first requests come in.
    async start() {
      await startAll([...o.parts, readiness, http, work])
      void warnMissing({ log, readiness })
    },
    stop: () => (stopped ??= shutDown()),
    fetch: (request) => http.fetch(request),
    url: () => http.url(),
  }
}

function askedEngines({ speech, recogniser, model, voice }: Engines): AskedEngine[] {
  return [
    { name: 'speech-detector', probe: () => speech.probe(), builtIn: true },
    { name: 'speech-to-text', probe: () => recogniser.probe() },
    { name: 'language model', probe: () => model.probe() },
    { name: 'text-to-speech', probe: () => voice.probe() },
  ]
}
