/**
 * The whole road on one machine: the real appliance, a callee with ears and a voice of its own behind real SIP and RTP,
 * and an HTTPS receiver that verifies the signature. Nothing is staged: what is printed comes from the API.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ApiClient, answerOf } from './cli/api-client.ts'
import type { DemoOptions } from './cli/appliance.ts'
import { watchCall } from './cli/watch-call.ts'
import { sleep } from './core/clock.ts'
import { createFliteVoice } from './inference/flite/flite-voice.ts'
import pizzaAgent from './inference/llm/dialogues/pizza-agent.dialogue' with { type: 'text' }
import { createSpeechDetector } from './inference/speech-detector/worker-detector.ts'
import { openLog } from './observability/json-log.ts'
import { startCalleePhone } from './simulator/callee-phone.ts'
import { parseDialogue } from './simulator/dialogue.ts'
import pizzeria from './simulator/dialogues/pizza.dialogue' with { type: 'text' }
import { startWebhookReceiver, type WebhookReceiver } from './simulator/webhook-receiver.ts'
import { dataDirOf, type StageDeps, setStage } from './stage.ts'
import { verify } from './webhooks/signature.ts'

const CALLEE = '+15551234567'
/** The reference's own example. */
const REQUEST = {
  phoneNumber: CALLEE,
  instructions: "Call Joe's Pizza and order a large pepperoni for pickup at 7pm.",
  firstMessage: "Hi, I'd like to place an order for pickup please.",
  name: "Joe's Pizza",
  maxDuration: 120,
}
const DELIVERY_MS = 15_000

/** Resolves with whether a human was heard and the signed webhook came and verified. */
export async function runDemo(o: DemoOptions, d: StageDeps): Promise<boolean> {
  const directory = mkdtempSync(join(tmpdir(), 'landline-demo-'))
  const log = await openLog({ level: 'warn', format: 'auto' })
  const undo: (() => Promise<unknown>)[] = []
  try {
    const receiver = await startWebhookReceiver(d.clock)
    undo.push(() => receiver.stop())
    const callee = await startCalleePhone({
      ...d,
      log,
      speech: createSpeechDetector({ ...d, log, dataDir: dataDirOf(directory) }),
      voice: createFliteVoice({ clock: d.clock, log, voice: 'rms' }),
      numbers: [CALLEE],
      receive: () => ({ dialogue: parseDialogue(pizzeria), mute: o.muteCallee }),
    })
    undo.push(() => callee.stop())
    writeFileSync(join(directory, 'receiver.pem'), receiver.ca)
    const { client, stop } = await setStage(d, {
      name: 'Demo',
      directory,
      log,
      calleePort: callee.port,
      script: pizzaAgent,
      toml: '[webhooks]\nallowed_hosts = ["127.0.0.1"]\nca_file = "receiver.pem"\n',
    })
    undo.push(stop)
    o.out(`An appliance at ${client.url} phones a callee on this machine.`)
    return await placeCall(o, d, { client, receiver })
  } catch (error) {
    if (o.signal.aborted) return false
    throw error
  } finally {
    for (const step of undo.reverse()) await step().catch(() => undefined)
    rmSync(directory, { recursive: true, force: true })
  }
}

async function placeCall(
  o: DemoOptions,
  d: StageDeps,
  { client, receiver }: { client: ApiClient; receiver: WebhookReceiver },
): Promise<boolean> {
  const post = async (path: string, body: unknown): Promise<Record<string, unknown>> =>
    answerOf(await client.request(path, { method: 'POST', body, signal: o.signal }))
  const webhook = await post('/api/v1/webhooks', { url: receiver.url })
  const call = await post('/api/v1/calls', REQUEST)
  const callId = String(call.id)
  const status = await watchCall({
    client,
    terminal: { out: o.out, sleep: (ms) => sleep(d.clock, ms, o.signal) },
    callId,
    json: false,
    signal: o.signal,
  })
  if (status === null) return false
  const whole = await answerOf(await client.request(`/api/v1/calls/${callId}`))
  for (const line of latencyLines(whole.timings)) o.out(line)
  const verified = await verifyDelivery(receiver, {
    secret: String(webhook.secret),
    callId,
    signal: o.signal,
  })
  if (o.signal.aborted) return false
  o.out(`webhook: ${verified}`)
  const faults = faultsOf({ verified, status, heard: heardHuman(whole.transcript) }, o.muteCallee)
  for (const fault of faults) o.out(`failed: ${fault}`)
  return faults.length === 0
}

/** What the receiver makes of the delivery, with nothing but the secret that it was told. */
async function verifyDelivery(
  receiver: WebhookReceiver,
  { secret, callId, signal }: { secret: string; callId: string; signal: AbortSignal },
): Promise<string> {
  const got = await receiver.next(DELIVERY_MS, signal)
  if (!got) return 'not received'
  const timestamp = got.headers['x-mio-timestamp'] ?? ''
  const signature = got.headers['x-mio-signature'] ?? ''
  if (!verify(secret, timestamp, got.body, signature)) return 'signature does not verify'
  const { call } = JSON.parse(got.body) as { call: { id: string } }
  return call.id === callId ? 'verified' : 'of another call'
}

/** What was not as it should be, a sentence each. */
function faultsOf(
  { verified, status, heard }: { verified: string; status: string; heard: boolean },
  muted: boolean,
): string[] {
  const why = muted
    ? 'with --mute-callee it says nothing, and the demo has to notice'
    : 'its voice did not come through the call, or was not recognised'
  return [
    ...(status === 'completed' ? [] : [`the call ended as ${status}, not as completed`]),
    ...(heard ? [] : [`the callee was not heard: ${why}`]),
    ...(verified === 'verified' ? [] : [`the webhook was ${verified}`]),
  ]
}

function heardHuman(transcript: unknown): boolean {
  return Array.isArray(transcript) && transcript.some((turn) => turn?.role === 'human')
}

/** From the end of the human's speech until the first packet of the answer left. */
function latencyLines(timings: unknown): string[] {
  if (!Array.isArray(timings)) return []
  return timings.flatMap(({ turn, speechEnd, onWire }: Record<string, unknown>) =>
    typeof onWire === 'string' && typeof speechEnd === 'string'
      ? [`latency: turn ${turn}: ${Date.parse(onWire) - Date.parse(speechEnd)} ms`]
      : [],
  )
}
