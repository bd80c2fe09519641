/** What passed on the wire for a call: its SIP ladder, and how its sound fared. Nothing in it lets anybody sign in. */
import { type Clock, sleep } from '../core/clock.ts'
import { reasonOf } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import type { CallStore } from './call-store.ts'
import type { TraceSource } from './ports.ts'

/** One SIP message as it was on the wire; credentials, nonces and keys are blanked. */
export interface TraceMessage {
  /** ms since the epoch. */
  at: number
  direction: 'sent' | 'received'
  /** The name of the trunk. */
  trunk: string
  transport: 'UDP' | 'TCP' | 'TLS'
  /** The other side's address and port. */
  remote: string
  /** `INVITE`, or `200 OK (INVITE)`. */
  summary: string
  text: string
  /** How often the same message passed again. */
  repeated: number
}

/** How the sound of a leg fared, seen from us. */
export interface MediaFigures {
  codec: string | null
  /** How much sound we put into one packet; null before anything was agreed on. */
  ptimeMs: number | null
  encrypted: boolean
  packetsSent: number
  packetsReceived: number
  /** Of RTP packets, headers and what SRTP adds included. */
  bytesSent: number
  bytesReceived: number
  packetsLost: number
  /** They came after they had been given up. */
  packetsLate: number
  /** Came more than once; counted as received too. */
  packetsDuplicate: number
  /** Dropped because they came from elsewhere than the agreed source. */
  packetsForeign: number
  /** Dropped because SRTP could not vouch for them: forged, damaged or sent again. */
  packetsUnauthentic: number
  /** Sound that was made up in place of what was lost. */
  concealedMs: number
  /** RFC 3550 §6.4.1, in ms. */
  jitterMs: number
  /** How often the other side went on as another stream. */
  ssrcChanges: number
  /** Keys that the other side pressed. */
  digitsReceived: number
  /** What the other side reports by RTCP of what we send; null where it does not. */
  remote: { packetsLost: number; jitterMs: number; roundTripMs: number | null } | null
}

export interface CallTrace {
  messages: TraceMessage[]
  /** Messages from the middle that were too many to keep. */
  omitted: number
  /** Null when no sound was agreed on. */
  media: MediaFigures | null
}

/** The trace of one attempt; `attempt` counts from 1. */
export interface AttemptTrace extends CallTrace {
  attempt: number
}

/** Traces of calls: of those that run as they are now, of the others as they were stored. */
export interface CallTraces {
  /** An attempt begins; the one before of this call has been ended. */
  begin(callId: string, attempt: number, source: TraceSource): void
  /** Stores what passed, once it is complete or a quarter of a second later. Never rejects: no call hangs on it. */
  end(callId: string): Promise<void>
  /** All attempts in order. */
  read(callId: string): Promise<AttemptTrace[]>
}

/** So long a trace may take to be complete before it is stored as it is. */
const PATIENCE_MS = 250

export function createCallTraces(d: {
  clock: Clock
  log: Log
  calls: Pick<CallStore, 'saveTrace' | 'traces'>
}): CallTraces {
  const running = new Map<string, { attempt: number; source: TraceSource }>()

  async function store(callId: string, attempt: number, source: TraceSource): Promise<void> {
    const patience = new AbortController()
    await Promise.race([source.complete, sleep(d.clock, PATIENCE_MS, patience.signal)])
    patience.abort()
    const trace = source.read()
    if (trace.messages.length > 0) await d.calls.saveTrace(callId, { attempt, ...trace })
  }

  return {
    begin(callId, attempt, source) {
      running.set(callId, { attempt, source })
    },
    async end(callId) {
      const found = running.get(callId)
      if (!found) return
      await store(callId, found.attempt, found.source).catch((error: unknown) =>
        d.log.warn('the trace of a call was not stored', { callId, reason: reasonOf(error) }),
      )
      if (running.get(callId) === found) running.delete(callId)
    },
    async read(callId) {
      const stored = await d.calls.traces(callId)
      const now = running.get(callId)
      const trace = now?.source.read()
      if (!now || !trace?.messages.length) return stored
      const before = stored.filter(({ attempt }) => attempt !== now.attempt)
      return [...before, { attempt: now.attempt, ...trace }]
    },
  }
}

/** As `GET /calls/:id/trace` tells it. */
export function publicTrace(traces: readonly AttemptTrace[]): { data: object[] } {
  return {
    data: traces.map(({ attempt, messages, omitted, media }) => ({
      attempt,
      messages: messages.map(({ at, ...rest }) => ({ at: new Date(at).toISOString(), ...rest })),
      omitted,
      media,
    })),
  }
}
