import type { Clock } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import type { Call } from './call.ts'
import type { CallRequest } from './call-request.ts'
import type { CallStore } from './call-store.ts'
import type { createCreateCall } from './create-call.ts'
import type { CallBackOutcome } from './ports.ts'

const EARLIEST_MS = 60_000
const LATEST_MS = 30 * 24 * 3_600_000
const DAY_MS = 24 * 3_600_000
/** So many calls to one number in a day, and no more are scheduled from within one: an agent must not pester anybody. */
const MAX_A_DAY = 10

export interface CallBackDeps {
  clock: Clock
  calls: CallStore
  createCall: ReturnType<typeof createCreateCall>
}

/**
 * Schedules a call like one that is going on: the same number, the same task, at `at`. Nothing about it but the time is
 * anybody's choice who is on the phone. Never throws for what `createCall` refuses.
 */
export function createCallBack(d: CallBackDeps) {
  return async (callId: string, at: number): Promise<CallBackOutcome> => {
    const now = d.clock.now()
    const call = await d.calls.get(callId)
    if (!call) return refuse('the call is not known')
    if (call.direction !== 'outbound') return refuse('whoever calls us is not called back')
    if (at < now + EARLIEST_MS) return refuse('that is in the past, or less than a minute ahead')
    if (at > now + LATEST_MS) return refuse('that is more than thirty days ahead')
    const { toNumber } = call
    const recent = await d.calls.list({
      limit: MAX_A_DAY,
      cursor: null,
      toNumber,
      createdAfter: now - DAY_MS,
    })
    if (recent.length >= MAX_A_DAY)
      return refuse('this number has been called too often within a day')
    try {
      await d.createCall(likeness(call, at), { idempotency: null, overRate: null })
      return { ok: true }
    } catch (error) {
      if (error instanceof AppError) return refuse(error.message.replace(/\.$/, ''))
      throw error
    }
  }
}

function refuse(reason: string): CallBackOutcome {
  return { ok: false, reason }
}

function likeness(call: Call, callAt: number): CallRequest {
  return {
    phoneNumber: call.toNumber,
    instructions: call.instructions,
    firstMessage: call.firstMessage,
    name: call.name,
    callAt,
    metadata: call.metadata,
    maxDurationSeconds: call.maxDurationSeconds,
    fromNumber: call.fromNumber,
    transferTo: call.transferTo,
    language: call.language,
    voice: call.voice,
    resultSchema: call.resultSchema,
    voicemail: call.voicemail,
    retry:
      call.maxAttempts === 1
        ? null
        : { maxAttempts: call.maxAttempts, delaySeconds: call.retryDelaySeconds },
  }
}
