/** An appliance in this process: everything real but the engines, whose delays are known. */
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createApp } from '../src/app.ts'
import { createKey } from '../src/cli/keys.ts'
import { loadConfig } from '../src/cli/load-config.ts'
import { systemClock as clock } from '../src/core/clock.ts'
import { createIds } from '../src/core/ids.ts'
import { silentLog as log } from '../src/core/log.ts'
import { createSchemaChecker } from '../src/inference/json-schema/schema-checker.ts'
import { createSpeechDetector } from '../src/inference/speech-detector/worker-detector.ts'
import { createMetrics } from '../src/observability/metrics.ts'
import { createHttpPost, systemResolve } from '../src/outbound/http-post.ts'
import { openStorage } from '../src/storage/open.ts'
import { createMedia } from '../src/telephony/media/worker-media.ts'
import { createTelephony } from '../src/telephony/telephony.ts'
import { createAddressPolicy } from '../src/webhooks/address-policy.ts'
import { createStubEngines, type Delays, type Heard } from './stub-engines.ts'

export interface Appliance {
  /** Places a call; what the stubs hear of it comes by `onWatch`. Resolves with its id. */
  call(phoneNumber: string): Promise<string>
  /** Resolves with the call's final status. */
  ended(callId: string): Promise<string>
  stop(): Promise<void>
}

const NUMBER = '+15550001111'
const GIVE_UP_MS = 60_000

export async function startAppliance(o: {
  directory: string
  /** Where the callee takes calls. */
  sipPort: number
  delays: Delays
  clipMs: number
  onWatch(heard: Heard): void
}): Promise<Appliance> {
  const { config } = loadConfig({
    file: writeConfig(o.directory, o.sipPort),
    flags: [],
    env: {},
    directory: o.directory,
  })
  const ids = createIds(clock, randomBytes)
  const storage = openStorage({
    path: join(config.dataDir, 'landline.db'),
    clock,
    ids,
    log,
    initialCreditCents: 0,
    accountName: config.account.name,
  })
  const { key } = await createKey({ ...storage, ids, clock }, 'bench')
  const speech = createSpeechDetector({ clock, log, dataDir: config.dataDir })
  const media = createMedia({
    clock,
    log,
    ids,
    bindHost: config.sip.host,
    portRange: [0, 0],
    silenceTimeoutMs: 30_000,
  })
  const telephony = createTelephony({ clock, ids, log, media, options: config.sip })
  const addressPolicy = createAddressPolicy([])
  const schemas = createSchemaChecker({ clock })
  const app = createApp(config, {
    clock,
    ids,
    log,
    storage,
    trunk: telephony.trunk,
    engines: createStubEngines({ ...o, speech }),
    schemas,
    metrics: createMetrics(),
    post: createHttpPost({ clock, policy: addressPolicy, resolve: systemResolve, userAgent: 'x' }),
    resolve: systemResolve,
    addressPolicy,
    parts: [speech, schemas, media, telephony],
  })
  await app.start()

  async function ask(path: string, body?: object): Promise<Record<string, unknown>> {
    const headers = { 'x-api-key': key, 'content-type': 'application/json' }
    const init = body ? { method: 'POST', headers, body: JSON.stringify(body) } : { headers }
    const response = await app.fetch(new Request(`http://localhost/api/v1${path}`, init))
    if (!response.ok) throw new Error(`${path}: ${await response.text()}`)
    return (await response.json()) as Record<string, unknown>
  }

  return {
    async call(phoneNumber) {
      const brief = { instructions: 'Answer what is asked.', firstMessage: 'Hello.' }
      return String((await ask('/calls', { phoneNumber, ...brief })).id)
    },
    async ended(callId) {
      const giveUpAt = performance.now() + GIVE_UP_MS
      while (performance.now() < giveUpAt) {
        const { status } = await ask(`/calls/${callId}`)
        if (!['initiated', 'ringing', 'in_progress'].includes(String(status))) return String(status)
        await Bun.sleep(100)
      }
      throw new Error('a call does not end')
    },
    stop: () => app.stop(),
  }
}

function writeConfig(directory: string, sipPort: number): string {
  const file = join(directory, 'landline.toml')
  writeFileSync(
    file,
    `data_dir = "data"

[http]
port = 0

[billing]
enabled = false

[sip]
host = "127.0.0.1"
port = 0

[[sip.trunks]]
name = "callee"
host = "127.0.0.1"
port = ${sipPort}
numbers = ["${NUMBER}"]
`,
  )
  return file
}
