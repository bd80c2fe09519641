import { type ApiClient, answerOf, isObject } from './api-client.ts'
import { nextAttemptLine, outcomeLines, turnLine } from './call-report.ts'
import { readEventStream, type StreamEvent } from './event-stream.ts'
import type { Terminal } from './terminal.ts'

/** How often a broken stream is taken up again before we give up. */
const MOST_RECONNECTS = 10
const RECONNECT_MS = 1000

/**
 * Prints a call's turns as they happen, then its outcome; with `json`, each event as one JSON line.
 * Resolves with the call's last status, or null when `signal` aborted first.
 */
export async function watchCall(o: {
  client: ApiClient
  terminal: Pick<Terminal, 'out' | 'sleep'>
  callId: string
  json: boolean
  signal: AbortSignal
}): Promise<string | null> {
  let lastId: string | null = null
  for (let tries = 0; tries <= MOST_RECONNECTS && !o.signal.aborted; tries++) {
    if (tries > 0) await o.terminal.sleep(RECONNECT_MS)
    try {
      for await (const event of await openEvents(o, lastId)) {
        lastId = event.id ?? lastId
        const status = tell(o, event)
        if (status !== null) return status
      }
    } catch (error) {
      if (!o.signal.aborted && (error instanceof Refused || tries === MOST_RECONNECTS)) throw error
    }
  }
  if (o.signal.aborted) return null
  throw new Error(`lost the events of call ${o.callId}; the call may go on`)
}

/** The server answered, and said no: asking again does not help. */
class Refused extends Error {}

async function openEvents(
  o: { client: ApiClient; callId: string; signal: AbortSignal },
  lastId: string | null,
): Promise<AsyncGenerator<StreamEvent>> {
  const response = await o.client.request(`/api/v1/calls/${o.callId}/events`, {
    headers: { Accept: 'text/event-stream', ...(lastId ? { 'Last-Event-ID': lastId } : {}) },
    signal: o.signal,
  })
  if (response.status === 204) throw new Refused('the call has ended')
  if (!response.ok || !response.body)
    throw new Refused(await answerOf(response).then(String, (error: Error) => error.message))
  return readEventStream(response.body)
}

/** Prints one event; the call's status when it was the last. */
function tell(
  o: { terminal: Pick<Terminal, 'out'>; json: boolean },
  { event, data }: StreamEvent,
): string | null {
  const fields = parseObject(data)
  if (!fields) return null
  if (o.json) o.terminal.out(JSON.stringify({ event, ...fields }))
  else if (event === 'transcript' && fields.final === true)
    o.terminal.out(
      turnLine({ role: fields.role === 'human' ? 'human' : 'agent', text: String(fields.text) }),
    )
  else if (event === 'status' && typeof fields.attempt === 'number')
    o.terminal.out(againLine(fields))
  else if (event === 'end') for (const line of outcomeLines(toOutcome(fields))) o.terminal.out(line)
  return event === 'end' ? String(fields.status) : null
}

/** The call is put off to another attempt. */
function againLine(status: Record<string, unknown>): string {
  const { attempt, callAt, reason } = status
  return nextAttemptLine({
    attempt: Number(attempt),
    callAt: String(callAt),
    reason: typeof reason === 'string' ? reason : null,
  })
}

function toOutcome(call: Record<string, unknown>): Parameters<typeof outcomeLines>[0] {
  return {
    status: String(call.status),
    endReason: typeof call.endReason === 'string' ? call.endReason : null,
    reason: reasonOfEnd(call.events),
    summary: typeof call.summary === 'string' ? call.summary : null,
    cost: Number(call.cost),
    duration: Number(call.duration),
  }
}

/** What the last status says; a server that is older than this command says nothing. */
function reasonOfEnd(events: unknown): string | null {
  const all = Array.isArray(events) ? events.filter(isObject) : []
  const reason = all.findLast(({ type }) => type === 'status')?.reason
  return typeof reason === 'string' ? reason : null
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}
