import type { ResultSchemas, Trunk } from './calls/ports.ts'
import type { Engines } from './conversation/ports.ts'
import type { Clock } from './core/clock.ts'
import type { Ids } from './core/ids.ts'
import type { Part } from './core/lifecycle.ts'
import type { Log } from './core/log.ts'
import type { Metrics } from './observability/metrics.ts'
import type { Storage } from './storage/open.ts'
import type { AddressPolicy } from './webhooks/address-policy.ts'
import type { Post } from './webhooks/ports.ts'

/** Everything with a life outside of this process's memory. */
export interface Outside {
  clock: Clock
  ids: Ids
  log: Log
  storage: Storage
  trunk: Trunk
  engines: Engines
  schemas: ResultSchemas
  metrics: Metrics
  post: Post
  resolve(host: string): Promise<string[]>
  addressPolicy: AddressPolicy
  /** What starts before the calls and stops after them: trunks, media, engines. */
  parts: readonly Part[]
  /** PEM texts, when the API speaks HTTPS. */
  tls?: { cert: string; key: string } | undefined
}
