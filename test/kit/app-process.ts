/** One process of the appliance in a test: the whole of it, on its own view of clock and database. */
import { type App, createApp } from '../../src/app.ts'
import type { Config } from '../../src/config/config.ts'
import { variableOf } from '../../src/config/setting-paths.ts'
import type { Engines, Message } from '../../src/conversation/ports.ts'
import { sleep } from '../../src/core/clock.ts'
import type { Ids } from '../../src/core/ids.ts'
import type { Part } from '../../src/core/lifecycle.ts'
import type { Probe } from '../../src/core/probe.ts'
import { createMetrics } from '../../src/observability/metrics.ts'
import type { Storage } from '../../src/storage/open.ts'
import { createAddressPolicy } from '../../src/webhooks/address-policy.ts'
import { parse } from './config.ts'
import { directSchemas } from './direct-schemas.ts'
import { createFakeEngines, type FakeEngines, type FakeReply } from './fake-engines.ts'
import type { FakeReceiver } from './fake-receiver.ts'
import type { FakeTrunk } from './fake-trunk.ts'
import {
  connectStorage,
  createProcessClock,
  type ProcessClock,
  type ProcessStorage,
} from './process.ts'
import type { SimClock } from './sim-clock.ts'

export const OUR_NUMBER = '+15559876543'

export interface AppOptions {
  /** Settings by their key: `'calls.max_concurrent': 2`. */
  settings?: Record<string, string | number | boolean>
  /** TOML that follows the trunk's: `[[billing.rates]]` … */
  toml?: string
  /** False: no trunk is configured. */
  trunk?: boolean
  /** Telephony and its like, which start before the calls and stop after them. */
  parts?: readonly Part[]
  /** What the model says. */
  reply?(messages: readonly Message[]): FakeReply
  /** What replies instead. */
  model?: Pick<Engines['model'], 'reply'>
}

/** What was logged, from `info` up. */
export interface LogLine {
  level: string
  message: string
  fields: Record<string, unknown>
}

export interface AppProcess {
  app: App
  clock: ProcessClock
  storage: ProcessStorage
  engines: FakeEngines
}

/** What outlives the processes. */
export interface World {
  clock: SimClock
  trunk: FakeTrunk
  receiver: FakeReceiver
  database: Storage & { ids: Ids }
  log: LogLine[]
  /** What the language model says of itself when it is asked, and how long it takes to say it. */
  model: { state: Probe['state']; probeMs: number }
}

export function bootProcess(world: World, o: AppOptions): AppProcess {
  const clock = createProcessClock(world.clock)
  const storage = connectStorage(world.database)
  const engines = createEngines(world, clock, o)
  const config = configOf(o)
  const app = createApp(config, {
    clock,
    ids: world.database.ids,
    log: collectLog(world.log),
    storage,
    trunk: world.trunk,
    engines,
    schemas: directSchemas,
    metrics: createMetrics(),
    post: world.receiver.connect(clock),
    resolve: async () => ['93.184.215.14'],
    addressPolicy: createAddressPolicy(config.webhooks.allowedHosts),
    parts: o.parts ?? [],
  })
  return { app, clock, storage, engines }
}

/** Each leg has a human of its own: what is heard depends on whose sound it is. */
function createEngines({ trunk, model }: World, clock: ProcessClock, o: AppOptions): FakeEngines {
  const engines = createFakeEngines({ clock, hear: () => '', reply: o.reply ?? usualReply })
  const recognise: Engines['recogniser']['recognise'] = async ({ ears, from, to, signal }) => {
    await sleep(clock, 60, signal)
    if (engines.broken.recogniser) throw new Error('recogniser: away')
    return { text: trunk.legOf(ears)?.textBetween(from, to) ?? '', noSpeech: 0 }
  }
  const probe = async (): Promise<Probe> => {
    if (model.probeMs > 0) await sleep(clock, model.probeMs)
    const bad = model.state === 'ready' ? {} : { reason: model.state, mend: 'ollama serve' }
    return { name: 'language model', state: model.state, ...bad }
  }
  return {
    ...engines,
    recogniser: { ...engines.recogniser, recognise },
    model: { ...engines.model, ...(o.model ? { reply: o.model.reply } : {}), probe },
  }
}

export function configOf(o: AppOptions): Config {
  const trunk = `[[sip.trunks]]\nhost = "trunk.example.com"\nnumbers = ["${OUR_NUMBER}"]\n`
  const env = Object.entries({ 'http.port': 0, ...o.settings }).map(([key, value]) => [
    variableOf(key) ?? key,
    String(value),
  ])
  return parse({
    toml: `${o.trunk === false ? '' : trunk}${o.toml ?? ''}`,
    env: Object.fromEntries(env),
  }).config
}

/** Orders until the human says goodbye; a request without a dialogue is the summary's. */
function usualReply(messages: readonly Message[]): FakeReply {
  const last = messages.at(-1)?.content ?? ''
  if (last.startsWith('Report the result')) return { text: '{"size": "large"}' }
  if (last.includes('Summarise')) return { text: 'A large pepperoni was ordered for seven.' }
  if (/goodbye/i.test(last))
    return { text: 'Thank you, goodbye.', tools: [{ name: 'end_call', arguments: {} }] }
  return { text: 'A large pepperoni, please.' }
}

function collectLog(lines: LogLine[]) {
  const at =
    (level: string) =>
    (message: string, fields: Record<string, unknown> = {}): void => {
      if (level !== 'debug') lines.push({ level, message, fields })
    }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}
