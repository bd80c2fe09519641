/**
 * The one JSON shape of a call: the HTTP API, the webhooks and the event stream take it from here, and a test holds
 * the OpenAPI document to it. Keys that do not apply are present and null, but for the answer to POST, which names
 * only what was given.
 */
import type { Call, Turn, TurnTiming } from './call.ts'
import type { EventPayload, StoredEvent } from './call-store.ts'

const iso = (at: number): string => new Date(at).toISOString()
const isoOrNull = (at: number | null): string | null => (at === null ? null : iso(at))

/** The answer to POST /calls; `given` says which fields were, where the call itself does not tell. */
export function createdCall(call: Call, given: { retry: boolean }): Record<string, unknown> {
  return {
    id: call.id,
    status: call.status,
    direction: call.direction,
    toNumber: call.toNumber,
    fromNumber: call.fromNumber,
    instructions: call.instructions,
    ...(call.name === null ? {} : { name: call.name }),
    ...(call.firstMessage === null ? {} : { firstMessage: call.firstMessage }),
    ...(call.callAt === null ? {} : { callAt: iso(call.callAt) }),
    ...(call.metadata === null ? {} : { metadata: call.metadata }),
    ...(call.transferTo === null ? {} : { transferTo: call.transferTo }),
    ...(given.retry ? { retry: retryOf(call) } : {}),
    ...(call.language === null ? {} : { language: call.language }),
    ...(call.voice === null ? {} : { voice: call.voice }),
    ...(call.voicemail === null ? {} : { voicemail: call.voicemail }),
    createdAt: iso(call.createdAt),
  }
}

/** A row of GET /calls: everything but transcript, events, timings and the schema of the result. */
export function listedCall(call: Call): Record<string, unknown> {
  return {
    id: call.id,
    direction: call.direction,
    status: call.status,
    endReason: call.endReason,
    sipCode: call.sipCode,
    name: call.name,
    toNumber: call.toNumber,
    fromNumber: call.fromNumber,
    instructions: call.instructions,
    firstMessage: call.firstMessage,
    callAt: isoOrNull(call.callAt),
    metadata: call.metadata,
    maxDuration: call.maxDurationSeconds,
    transferTo: call.transferTo,
    language: call.language,
    voice: call.voice,
    voicemail: call.voicemail ?? 'hangup',
    summary: call.summary,
    cost: call.costCents,
    duration: call.durationSeconds,
    attempt: call.attempt,
    retry: retryOf(call),
    result: call.result,
    resultError: call.resultError,
    startedAt: isoOrNull(call.startedAt),
    endedAt: isoOrNull(call.endedAt),
    createdAt: iso(call.createdAt),
  }
}

function retryOf(call: Call): { maxAttempts: number; delaySeconds: number } {
  return { maxAttempts: call.maxAttempts, delaySeconds: call.retryDelaySeconds }
}

/** The whole call: GET /calls/:id. */
export function wholeCall(
  call: Call,
  transcript: readonly Turn[],
  events: readonly StoredEvent[],
  timings: readonly TurnTiming[],
): Record<string, unknown> {
  return {
    ...endedCall(call, transcript),
    resultSchema: call.resultSchema,
    events: events
      .filter((event) => event.type !== 'end')
      .map((event) => ({ type: event.type, ...event.data })),
    timings: timings.map((timing) => ({
      turn: timing.turn,
      speechEnd: iso(timing.speechEnd),
      finalText: isoOrNull(timing.finalText),
      firstToken: isoOrNull(timing.firstToken),
      firstSound: isoOrNull(timing.firstSound),
      onWire: isoOrNull(timing.onWire),
    })),
  }
}

/** A call with its transcript: the `end` event of the stream. */
export function endedCall(call: Call, transcript: readonly Turn[]): Record<string, unknown> {
  return { ...listedCall(call), transcript: publicTranscript(transcript) }
}

/** `call` in a webhook's body: the reference's fields in its order, then ours. */
export function webhookCall(call: Call, transcript: readonly Turn[]): Record<string, unknown> {
  return {
    id: call.id,
    direction: call.direction,
    status: call.status,
    name: call.name,
    toNumber: call.toNumber,
    fromNumber: call.fromNumber,
    instructions: call.instructions,
    summary: call.summary,
    transcript: publicTranscript(transcript),
    cost: call.costCents,
    duration: call.durationSeconds,
    attempt: call.attempt,
    startedAt: isoOrNull(call.startedAt),
    endedAt: isoOrNull(call.endedAt),
    createdAt: iso(call.createdAt),
    endReason: call.endReason,
    metadata: call.metadata,
    result: call.result,
  }
}

/** The body of a webhook delivery; its bytes never change afterwards. `at` is when the event happened. */
export function eventPayload(
  event: EventPayload['event'],
  call: Call,
  transcript: readonly Turn[],
  at: number,
): EventPayload {
  const timestamp = String(Math.floor(at / 1000))
  return { event, body: JSON.stringify({ event, timestamp, call: webhookCall(call, transcript) }) }
}

function publicTranscript(transcript: readonly Turn[]): { role: Turn['role']; text: string }[] {
  return transcript.map(({ role, text }) => ({ role, text }))
}
