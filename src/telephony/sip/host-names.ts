/** The addresses behind the host names that dialogs name: asked for once, kept for a minute, never waited for by a call. */
import type { Clock } from '../../core/clock.ts'
import { type Lookup, resolveHost } from './route.ts'

const TTL_MS = 60_000
/** A trunk names a handful of hosts; what names more is told to wait for its answer each time. */
const MAX_NAMES = 256

interface Entry {
  /** Null when it does not resolve. */
  found: Promise<string | null>
  /** What is known by now. */
  address: string | null
  until: number
}

export class HostNames {
  private readonly deps: { clock: Clock; boundTo: string; lookup?: Lookup }
  private readonly entries = new Map<string, Entry>()

  constructor(deps: { clock: Clock; boundTo: string; lookup?: Lookup }) {
    this.deps = deps
  }

  /** What is known now; null while that is nothing, and from then on somebody is asked. */
  known(name: string): string | null {
    return this.entry(name).address
  }

  /** Resolves with the address, or with null when there is none; never rejects. */
  find(name: string): Promise<string | null> {
    return this.entry(name).found
  }

  private entry(name: string): Entry {
    const key = name.toLowerCase()
    const now = this.deps.clock.steady()
    const kept = this.entries.get(key)
    if (kept && kept.until > now) return kept
    const entry: Entry = {
      found: Promise.resolve(null),
      // What it was a minute ago is better than nothing while it is asked for again.
      address: kept?.address ?? null,
      until: now + TTL_MS,
    }
    entry.found = resolveHost(key, this.deps).then(
      ([address = null]) => {
        entry.address = address
        return address
      },
      () => {
        // The next who needs it asks again.
        entry.until = 0
        return entry.address
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
