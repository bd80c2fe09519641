/** What the HTTP API needs from the floors below. Objects come rendered as the contract shows them. */
import type { CallRequest, CallRules } from '../calls/call-request.ts'
import type { CallFilter, IdempotencyRecord, StoredEvent } from '../calls/call-store.ts'
import type { ManageNumbers } from '../calls/own-number.ts'
import type { InstalledVoice } from '../calls/voice-choice.ts'
import type { Clock } from '../core/clock.ts'
import type { AppError } from '../core/errors.ts'
import type { Ids } from '../core/ids.ts'
import type { Log } from '../core/log.ts'
import type { Probe } from '../core/probe.ts'
import type { Subscription } from '../webhooks/ports.ts'

/** Where a page ends: what the next one comes after. */
export interface PageKey {
  createdAt: number
  id: string
}

/** One page, newest first; `next` is null on the last. */
export interface Page {
  data: readonly object[]
  next: PageKey | null
}

/** Every method throws AppError for a refusal. */
export interface CallService {
  /** The dial policy and the trunks' numbers as they are now. */
  rules(): Omit<CallRules, 'now'>
  /** The JSON of the 201; `replayed` when it is the kept answer to the same key. */
  create(
    request: CallRequest,
    o: {
      keyId: string
      idempotency: IdempotencyRecord | null
      /** Thrown when nothing comes before it and a call would be written. */
      overRate: AppError | null
    },
  ): Promise<{ body: string; replayed: boolean }>
  /** The whole call, or null. */
  get(id: string): Promise<object | null>
  list(filter: CallFilter): Promise<Page>
  /** The call as it is now. Throws not_found; conflict for one that has ended. */
  cancel(id: string): Promise<object>
  /** `{ data }`, an attempt each; null: no such call. */
  trace(id: string): Promise<object | null>
  /**
   * All events after `afterSeq`, then each as it is stored; ends after `end` or when `signal` aborts. Null: no such call.
   * `over`: the call has ended, and nothing comes after `afterSeq`.
   */
  events(
    id: string,
    afterSeq: number,
    signal: AbortSignal,
  ): Promise<AsyncIterable<StoredEvent> | 'over' | null>
}

/** Every method throws AppError: not_found for an unknown id, invalid_request for a URL that may not be used. */
export interface WebhookService {
  list(): Promise<{ data: readonly object[] }>
  /** With the secret. */
  create(o: { url: string; events?: readonly Subscription[] | undefined }): Promise<object>
  update(id: string, patch: WebhookPatch): Promise<object>
  remove(id: string): Promise<void>
  /** `{ delivered, status, durationMs, error? }`. */
  test(id: string): Promise<object>
  /** With the new secret. */
  rotateSecret(id: string): Promise<object>
  deliveries(id: string, o: { limit: number; cursor: PageKey | null }): Promise<Page>
  /** The delivery, pending again. */
  redeliver(id: string, deliveryId: string): Promise<object>
}

export interface WebhookPatch {
  url?: string | undefined
  events?: readonly Subscription[] | undefined
  active?: boolean | undefined
}

export interface ApiServices {
  clock: Clock
  ids: Ids
  log: Log
  /** The key's id, or null for one that is unknown or revoked. */
  authenticate(rawKey: string): Promise<{ keyId: string } | null>
  /** `balance` in cents; `phoneNumber` is the default caller, null while there is no trunk. */
  me(): Promise<{ id: string; name: string; phoneNumber: string | null; balance: number }>
  calls: CallService
  webhooks: WebhookService
  numbers: ManageNumbers
  /** The voices that a call may ask for, the one that speaks when it asks for nothing first. */
  voices(): readonly InstalledVoice[]
  probes(): Promise<readonly Probe[]>
  /** Told of every answer; `route` is the pattern, never the path. */
  onAnswer?(o: { method: string; route: string; status: number; durationMs: number }): void
  /** Prometheus text. */
  metrics(): Promise<string>
}
