/** Where the hosts are that dialogs name: asked for once, kept for a minute, never waited for by a call. */
import type { Clock } from '../../core/clock.ts'
import type { Ids } from '../../core/ids.ts'
import type { Dns } from './dns.ts'
import { locate, type Wanted } from './locate.ts'
import type { Endpoint } from './transport.ts'

const TTL_MS = 60_000
/** A trunk names a handful of hosts; what names more is told to wait for its answer each time. */
const MAX_NAMES = 256

interface Entry {
  /** Empty when it does not resolve. */
  found: Promise<readonly Endpoint[]>
  /** What is known by now. */
  endpoints: readonly Endpoint[]
  until: number
}

export class HostNames {
  private readonly deps: { clock: Clock; ids: Ids; dns: Dns; boundTo: string }
  private readonly entries = new Map<string, Entry>()

  constructor(deps: { clock: Clock; ids: Ids; dns: Dns; boundTo: string }) {
    this.deps = deps
  }

  /** What is known now, best first; empty while that is nothing, and from then on somebody is asked. */
  known(wanted: Wanted): readonly Endpoint[] {
    return this.entry(wanted).endpoints
  }

  /** Resolves with where it is, best first, or with nothing when that cannot be told; never rejects. */
  find(wanted: Wanted): Promise<readonly Endpoint[]> {
    return this.entry(wanted).found
  }

  private entry(wanted: Wanted): Entry {
    const host = wanted.host.toLowerCase()
    const key = [host, wanted.port, wanted.protocol].join(' ')
    const now = this.deps.clock.steady()
    const kept = this.entries.get(key)
    if (kept && kept.until > now) return kept
    const entry: Entry = {
      found: Promise.resolve([]),
      // What it was a minute ago is better than nothing while it is asked for again.
      endpoints: kept?.endpoints ?? [],
      until: now + TTL_MS,
    }
    entry.found = locate({ ...wanted, host }, this.deps).then(
      (endpoints) => {
        entry.endpoints = endpoints
        return endpoints
      },
      () => {
        // The next who needs it asks again.
        entry.until = 0
        return entry.endpoints
      },
    )
    this.keep(key, entry)
    return entry
  }

  private keep(key: string, entry: Entry): void {
    this.entries.delete(key)
    this.entries.set(key, entry)
    for (const oldest of this.entries.keys()) {
      if (this.entries.size <= MAX_NAMES) return
      this.entries.delete(oldest)
    }
  }
}
