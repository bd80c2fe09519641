import type { Call, Turn } from './call.ts'

/** What a test payload carries: a complete call that never was, under the nil UUID (RFC 9562 §5.9). */
export function sampleCall(now: number): Call {
  return {
    id: '00000000-0000-0000-0000-000000000000',
    direction: 'outbound',
    status: 'completed',
    endReason: 'agent_hangup',
    sipCode: 200,
    toNumber: '+15551234567',
    fromNumber: '+15559876543',
    instructions: 'Order a large pepperoni pizza for pickup at 7pm.',
    firstMessage: "Hi, I'd like to place an order for pickup please.",
    name: "Joe's Pizza",
    metadata: null,
    maxDurationSeconds: 600,
    callAt: null,
    transferTo: null,
    voicemail: null,
    attempt: 1,
    maxAttempts: 1,
    retryDelaySeconds: 300,
    centsPerMinute: 1,
    holdCents: 0,
    summary: 'This is a test payload: a sample of what a completed call looks like.',
    costCents: 1,
    durationSeconds: 45,
    createdAt: now - 50_000,
    startedAt: now - 45_000,
    endedAt: now,
    heartbeatAt: now,
  }
}

export function sampleTranscript(now: number): Turn[] {
  return [
    { role: 'agent', text: "Hi, I'd like to place an order for pickup please.", at: now - 45_000 },
    { role: 'human', text: 'Sure, what can I get for you?', at: now - 41_000 },
  ]
}
