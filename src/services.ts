/** What the API asks for, answered by the parts: rows become pages, and each answer the contract's shape. */
import { isFinal } from './calls/call.ts'
import type { CallEvents } from './calls/call-events.ts'
import type { StoredEvent } from './calls/call-store.ts'
import { type CallTraces, publicTrace } from './calls/call-trace.ts'
import type { createCancelCall } from './calls/cancel-call.ts'
import type { createCreateCall } from './calls/create-call.ts'
import type { ManageNumbers } from './calls/own-number.ts'
import { listedCall, wholeCall } from './calls/public-call.ts'
import type { EngineReadiness } from './calls/readiness.ts'
import type { InstalledVoice } from './calls/voice-choice.ts'
import type { Config } from './config/config.ts'
import { type Clock, sleep } from './core/clock.ts'
import { type Ids, sha256 } from './core/ids.ts'
import type { Log } from './core/log.ts'
import { pageOf } from './core/page.ts'
import type { Probe } from './core/probe.ts'
import type { ApiServices, CallService } from './http/services.ts'
import type { Metrics } from './observability/metrics.ts'
import type { Storage } from './storage/open.ts'
import type { ManageWebhooks } from './webhooks/manage-webhooks.ts'

/** How long a request right after the start waits for the engines' first answer. */
const FIRST_ANSWER_MS = 1500

export interface ServiceDeps {
  config: Config
  clock: Clock
  ids: Ids
  log: Log
  storage: Storage
  metrics: Metrics
  readiness: EngineReadiness
  events: CallEvents
  traces: CallTraces
  createCall: ReturnType<typeof createCreateCall>
  cancelCall: ReturnType<typeof createCancelCall>
  webhooks: ManageWebhooks
  numbers: ManageNumbers
  probeTrunks(): Promise<readonly Probe[]>
  /** What a call may be spoken with. */
  voices(): readonly InstalledVoice[]
}

export function createServices(d: ServiceDeps): ApiServices {
  const { clock, ids, log, storage, metrics, readiness } = d
  return {
    clock,
    ids,
    log,
    async authenticate(rawKey) {
      const key = await storage.keys.findByHash(sha256(rawKey))
      return key && { keyId: key.id }
    },
    async me() {
      const { id, name, balanceCents } = await storage.ledger.account()
      return { id, name, phoneNumber: readiness.trunkNumbers()[0] ?? null, balance: balanceCents }
    },
    calls: createCallService(d),
    webhooks: d.webhooks,
    numbers: d.numbers,
    voices: d.voices,
    async probes() {
      return [await storage.probe(), ...(await d.probeTrunks()), ...readiness.probes()]
    },
    onAnswer: (answer) => metrics.httpRequest(answer),
    metrics: () => metrics.text(),
  }
}

/** The `end` of a stream carries the call as `GET /calls/:id` tells it. */
async function* withWholeCall(
  events: AsyncIterable<StoredEvent>,
  callId: string,
  whole: (id: string) => Promise<object | null>,
): AsyncGenerator<StoredEvent> {
  for await (const event of events)
    if (event.type === 'end') yield { ...event, data: { ...event.data, ...(await whole(callId)) } }
    else yield event
}

function createCallService(d: ServiceDeps): CallService {
  const { clock, config, events, readiness } = d
  const { calls } = d.storage

  async function whole(id: string): Promise<object | null> {
    const call = await calls.get(id)
    if (!call) return null
    const parts = [calls.transcript(id), calls.events(id, 0), calls.timings(id)] as const
    return wholeCall(call, ...(await Promise.all(parts)))
  }

  async function enginesAsked(): Promise<void> {
    const patience = new AbortController()
    await Promise.race([readiness.first(), sleep(clock, FIRST_ANSWER_MS, patience.signal)])
    patience.abort()
  }

  return {
    rules: () => ({
      ownNumbers: readiness.trunkNumbers(),
      allowedPrefixes: config.calls.allowedPrefixes,
      blockedPrefixes: config.calls.blockedPrefixes,
      voices: d.voices,
    }),
    async create(request, o) {
      await enginesAsked()
      return d.createCall(request, o)
    },
    get: whole,
    async list(filter) {
      const { data, next } = await pageOf(filter, calls.list)
      return { data: data.map(listedCall), next }
    },
    async cancel(id) {
      await d.cancelCall(id)
      return (await whole(id)) ?? {}
    },
    async trace(id) {
      return (await calls.get(id)) && publicTrace(await d.traces.read(id))
    },
    async events(id, afterSeq, signal) {
      const call = await calls.get(id)
      const over = call && isFinal(call.status) && (await calls.events(id, afterSeq)).length === 0
      return over ? 'over' : call && withWholeCall(events.watch(id, afterSeq, signal), id, whole)
    },
  }
}
