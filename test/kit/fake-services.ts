import type { CallRequest } from '../../src/calls/call-request.ts'
import type { CallFilter, StoredEvent } from '../../src/calls/call-store.ts'
import { createManageNumbers, type NumberStore } from '../../src/calls/own-number.ts'
import type { InstalledVoice } from '../../src/calls/voice-choice.ts'
import { AppError } from '../../src/core/errors.ts'
import { createIds } from '../../src/core/ids.ts'
import { silentLog } from '../../src/core/log.ts'
import type { Probe } from '../../src/core/probe.ts'
import type { ApiServices, Page, PageKey, WebhookPatch } from '../../src/http/services.ts'
import type { Subscription } from '../../src/webhooks/ports.ts'
import { directSchemas } from './direct-schemas.ts'
import { SimClock } from './sim-clock.ts'

export const GOOD_KEY = `sk_live_${'k'.repeat(43)}`
export const OTHER_KEY = `sk_live_${'o'.repeat(43)}`
export const CALLER = '+15559876543'

interface StoredCall {
  call: Record<string, unknown> & { id: string }
  events: StoredEvent[]
}
interface StoredWebhook {
  id: string
  [field: string]: unknown
}

/** Everything the HTTP API needs, in memory: calls never ring, webhooks are never sent. */
export class FakeServices implements ApiServices {
  readonly clock = new SimClock()
  private seed = 0
  readonly ids = createIds(this.clock, (n) =>
    new Uint8Array(n).map(() => (this.seed = (this.seed * 73 + 41) & 255)),
  )
  readonly logged: { level: string; message: string; fields: unknown }[] = []
  readonly log = {
    ...silentLog,
    warn: (message: string, fields?: unknown) =>
      this.logged.push({ level: 'warn', message, fields }),
    error: (message: string, fields?: unknown) =>
      this.logged.push({ level: 'error', message, fields }),
  }
  readonly keys = new Map([
    [GOOD_KEY, 'key-1'],
    [OTHER_KEY, 'key-2'],
  ])
  /** Every request that reached `calls.create`. */
  readonly created: { request: CallRequest; keyId: string }[] = []
  readonly filters: CallFilter[] = []
  readonly patches: WebhookPatch[] = []
  readonly redelivered: string[] = []
  /** Thrown by the next `calls.create`. */
  refuseCreate: Error | null = null
  ownNumbers: string[] = [CALLER]
  blockedPrefixes: string[] = ['+1900', '+882']
  allowedPrefixes: string[] = []
  probeList: Probe[] = [{ name: 'database', state: 'ready' }]
  installedVoices: InstalledVoice[] = [
    { id: 'slt', engine: 'flite', language: 'en-US', name: 'SLT' },
    { id: 'rms', engine: 'flite', language: 'en-US', name: 'RMS' },
  ]
  /** How often a key was looked up. */
  authenticated = 0
  /** How many event streams are being followed. */
  watchers = 0
  nextPage: PageKey | null = null
  private readonly replays = new Map<string, { hash: string; body: string }>()
  readonly stored = new Map<string, StoredCall>()
  /** What passed on the wire, by the call's id. */
  readonly traces = new Map<string, object[]>()
  readonly hooks = new Map<string, StoredWebhook>()
  private wake: (() => void)[] = []

  async authenticate(rawKey: string): Promise<{ keyId: string } | null> {
    this.authenticated++
    const keyId = this.keys.get(rawKey)
    return keyId === undefined ? null : { keyId }
  }

  async me() {
    return { id: this.ids.uuid(), name: 'Owner', phoneNumber: CALLER, balance: 500 }
  }

  async probes(): Promise<readonly Probe[]> {
    return this.probeList
  }

  voices() {
    return this.installedVoices
  }

  async metrics(): Promise<string> {
    return '# TYPE landline_up gauge\nlandline_up 1\n'
  }

  /** Tells the watchers of `id` one more event. */
  tell(id: string, type: StoredEvent['type'], data: Record<string, unknown>): void {
    const events = this.stored.get(id)?.events
    events?.push({ seq: events.length + 1, type, data })
    for (const wake of this.wake.splice(0)) wake()
  }

  private async *follow(
    stored: StoredCall,
    afterSeq: number,
    signal: AbortSignal,
  ): AsyncGenerator<StoredEvent> {
    this.watchers++
    try {
      for (let at = afterSeq; !signal.aborted; at++) {
        while (stored.events.length <= at && !signal.aborted)
          await new Promise<void>((done) => {
            this.wake.push(done)
            signal.addEventListener('abort', () => done(), { once: true })
          })
        const event = stored.events[at]
        if (!event || signal.aborted) return
        yield event
        if (event.type === 'end') return
      }
    } finally {
      this.watchers--
    }
  }

  readonly calls: ApiServices['calls'] = {
    rules: () => ({
      blockedPrefixes: this.blockedPrefixes,
      allowedPrefixes: this.allowedPrefixes,
      ownNumbers: this.ownNumbers,
      voices: () => this.installedVoices,
    }),
    create: async (request, o) => {
      const slot = `${o.keyId} ${o.idempotency?.key}`
      const kept = o.idempotency ? this.replays.get(slot) : undefined
      if (kept && kept.hash === o.idempotency?.bodyHash) return { body: kept.body, replayed: true }
      if (kept) throw new AppError('idempotency_conflict', 'This key was used with another body.')
      if (this.refuseCreate) throw this.refuseCreate
      if (o.overRate) throw o.overRate
      this.created.push({ request, keyId: o.keyId })
      const call = {
        id: this.ids.uuid(),
        status: request.callAt === null ? 'initiated' : 'scheduled',
        direction: 'outbound',
        toNumber: request.phoneNumber,
        fromNumber: request.fromNumber ?? CALLER,
        instructions: request.instructions,
        createdAt: new Date(this.clock.now()).toISOString(),
      }
      this.stored.set(call.id, { call, events: [] })
      this.tell(call.id, 'status', { status: call.status, endReason: null, at: call.createdAt })
      const body = JSON.stringify(call)
      if (o.idempotency) this.replays.set(slot, { hash: o.idempotency.bodyHash, body })
      return { body, replayed: false }
    },
    get: async (id) => this.stored.get(id)?.call ?? null,
    trace: async (id) => (this.stored.has(id) ? { data: this.traces.get(id) ?? [] } : null),
    list: async (filter) => {
      this.filters.push(filter)
      return { data: [...this.stored.values()].map(({ call }) => call), next: this.nextPage }
    },
    cancel: async (id) => {
      const call = this.stored.get(id)?.call
      if (!call) throw new AppError('not_found', 'There is no such call.')
      if (call.status === 'canceled')
        throw new AppError('conflict', 'This call has already ended (canceled).')
      return Object.assign(call, { status: 'canceled' })
    },
    events: async (id, afterSeq, signal) => {
      const stored = this.stored.get(id)
      if (!stored) return null
      const ended = stored.events.at(-1)?.type === 'end'
      if (ended && afterSeq >= stored.events.length) return 'over'
      return this.follow(stored, afterSeq, signal)
    },
  }

  readonly numbers: ApiServices['numbers'] = createManageNumbers({
    schemas: directSchemas,
    clock: this.clock,
    store: memoryNumbers(),
    rules: () => this.calls.rules(),
    defaultMaxDurationSeconds: 600,
  })

  private hook(id: string): StoredWebhook {
    const webhook = this.hooks.get(id)
    if (!webhook) throw new AppError('not_found', 'There is no such webhook.')
    return webhook
  }

  readonly webhooks: ApiServices['webhooks'] = {
    list: async () => ({ data: [...this.hooks.values()] }),
    create: async (o: { url: string; events?: readonly Subscription[] | undefined }) => {
      const webhook = {
        id: this.ids.uuid(),
        url: o.url,
        events: o.events ?? ['call.completed'],
        active: true,
        consecutiveFailures: 0,
        disabledAt: null,
        createdAt: new Date(this.clock.now()).toISOString(),
      }
      this.hooks.set(webhook.id, webhook)
      return { ...webhook, secret: this.ids.webhookSecret() }
    },
    update: async (id, patch) => {
      this.patches.push(patch)
      const given = Object.entries(patch).filter(([, value]) => value !== undefined)
      return Object.assign(this.hook(id), Object.fromEntries(given))
    },
    remove: async (id) => {
      this.hook(id)
      this.hooks.delete(id)
    },
    test: async (id) => {
      this.hook(id)
      return { delivered: false, status: null, durationMs: 3, error: 'connection refused' }
    },
    rotateSecret: async (id) => ({ ...this.hook(id), secret: this.ids.webhookSecret() }),
    deliveries: async (id, o): Promise<Page> => {
      this.hook(id)
      return { data: [], next: o.cursor === null ? this.nextPage : null }
    },
    redeliver: async (id, deliveryId) => {
      this.hook(id)
      this.redelivered.push(deliveryId)
      return { id: deliveryId, state: 'pending' }
    },
  }
}

function memoryNumbers(): NumberStore {
  const stored = new Map<string, Awaited<ReturnType<NumberStore['put']>>>()
  return {
    async put(number, { fields, now }) {
      const createdAt = stored.get(number)?.createdAt ?? now
      const own = { ...fields, number, createdAt, updatedAt: now }
      stored.set(number, own)
      return own
    },
    get: async (number) => stored.get(number) ?? null,
    list: async () => [...stored.values()].sort((a, b) => (a.number < b.number ? -1 : 1)),
    remove: async (number) => stored.delete(number),
  }
}
