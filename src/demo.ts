/**
 * The whole road on one machine: the real appliance, a callee with ears and a voice of its own behind real SIP and RTP,
 * and an HTTPS receiver that verifies the signature. Nothing is staged: what is printed comes from the API.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ApiClient, answerOf, createApiClient } from './cli/api-client.ts'
import type { DemoOptions, OwnersData, RunningServer } from './cli/appliance.ts'
import { loadConfig } from './cli/load-config.ts'
import { watchCall } from './cli/watch-call.ts'
import type { Config } from './config/config.ts'
import { type Clock, sleep } from './core/clock.ts'
import { type Ids, sha256 } from './core/ids.ts'
import type { Log } from './core/log.ts'
import { createFliteVoice } from './inference/flite/flite-voice.ts'
import pizzaAgent from './inference/llm/dialogues/pizza-agent.dialogue' with { type: 'text' }
import { createSpeechDetector } from './inference/speech-detector/worker-detector.ts'
import { openLog } from './observability/json-log.ts'
import { type CalleePhone, startCalleePhone } from './simulator/callee-phone.ts'
import { parseDialogue } from './simulator/dialogue.ts'
import pizzeria from './simulator/dialogues/pizza.dialogue' with { type: 'text' }
import { startWebhookReceiver, type WebhookReceiver } from './simulator/webhook-receiver.ts'
import { verify } from './webhooks/signature.ts'

const CALLEE = '+15551234567'
const OWN_NUMBER = '+15559876543'
/** The reference's own example. */
const REQUEST = {
  phoneNumber: CALLEE,
  instructions: "Call Joe's Pizza and order a large pepperoni for pickup at 7pm.",
  firstMessage: "Hi, I'd like to place an order for pickup please.",
  name: "Joe's Pizza",
  maxDuration: 120,
}
const DELIVERY_MS = 15_000

interface DemoDeps {
  clock: Clock
  ids: Ids
  serve(config: Config, log: Log): Promise<RunningServer>
  openData(config: Config): Promise<OwnersData>
}

/** Resolves with whether a human was heard and the signed webhook came and verified. */
export async function runDemo(o: DemoOptions, d: DemoDeps): Promise<boolean> {
  const directory = mkdtempSync(join(tmpdir(), 'landline-demo-'))
  const log = await openLog({ level: 'warn', format: 'auto' })
  const undo: (() => Promise<unknown>)[] = []
  try {
    const receiver = await startWebhookReceiver(d.clock)
    undo.push(() => receiver.stop())
    const dataDir = join(directory, 'data')
    const callee = await startCalleePhone({
      ...d,
      log,
      speech: createSpeechDetector({ ...d, log, dataDir }),
      voice: createFliteVoice({ clock: d.clock, log, voice: 'rms' }),
      receive: () => ({ dialogue: parseDialogue(pizzeria), mute: o.muteCallee }),
    })
    undo.push(() => callee.stop())
    const config = writeConfig(directory, { dataDir, callee, receiver })
    const server = await d.serve(config, log)
    undo.push(() => server.stop())
    const key = await makeKey(config, d)
    const client = createApiClient({
      terminal: { fetch },
      url: server.url,
      key,
      certFile: null,
    })
    o.out(`An appliance at ${server.url} phones a callee on this machine.`)
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
  d: DemoDeps,
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
  return verified === 'verified' && status === 'completed' && heardHuman(whole.transcript)
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

async function makeKey(config: Config, d: DemoDeps): Promise<string> {
  const data = await d.openData(config)
  const key = d.ids.apiKey()
  await data.keys.create({
    id: d.ids.uuid(),
    name: 'demo',
    hash: sha256(key),
    createdAt: d.clock.now(),
  })
  await data.close()
  return key
}

/** A configuration file like any owner's, read by the same reader. */
function writeConfig(
  directory: string,
  o: { dataDir: string; callee: CalleePhone; receiver: WebhookReceiver },
): Config {
  const file = join(directory, 'landline.toml')
  writeFileSync(join(directory, 'agent.dialogue'), pizzaAgent)
  writeFileSync(join(directory, 'receiver.pem'), o.receiver.ca)
  writeFileSync(
    file,
    `data_dir = "data"

[http]
port = 0

[account]
name = "Demo"

[sip]
host = "127.0.0.1"
port = 0

[[sip.trunks]]
name = "callee"
host = "127.0.0.1"
port = ${o.callee.port}
numbers = ["${OWN_NUMBER}"]

[webhooks]
allowed_hosts = ["127.0.0.1"]
ca_file = "receiver.pem"

[speech.stt]
model = "demo"

[llm]
engine = "scripted"
script = "agent.dialogue"
`,
  )
  const { config } = loadConfig({ file, flags: [], env: {}, directory })
  // Any free ports: a server that runs on the configured range is not disturbed.
  return { ...config, sip: { ...config.sip, rtpPorts: { from: 0, to: 0 } } }
}
