/** The whole appliance on simulated time: real rules, scheduler and SQLite; fake telephones, engines and receivers. */
import { type App, createApp } from '../../src/app.ts'
import { type CallStatus, isFinal } from '../../src/calls/call.ts'
import type { Config } from '../../src/config/config.ts'
import { variableOf } from '../../src/config/setting-paths.ts'
import type { Engines, Message } from '../../src/conversation/ports.ts'
import { sleep } from '../../src/core/clock.ts'
import { sha256 } from '../../src/core/ids.ts'
import type { Probe } from '../../src/core/probe.ts'
import { createMetrics } from '../../src/observability/metrics.ts'
import type { Storage } from '../../src/storage/open.ts'
import { createAddressPolicy } from '../../src/webhooks/address-policy.ts'
import { parse } from './config.ts'
import { endAfterEach } from './end-after-each.ts'
import { createFakeEngines, type FakeEngines, type FakeReply } from './fake-engines.ts'
import { createFakeReceiver, type FakeReceiver } from './fake-receiver.ts'
import { createFakeTrunk, type FakeTrunk, type PlacedCall } from './fake-trunk.ts'
import { type Answer, type Sent, toRequest } from './http-client.ts'
import { openTestStorage } from './open-test-storage.ts'
import {
  connectStorage,
  createProcessClock,
  type ProcessClock,
  type ProcessStorage,
} from './process.ts'
import { SimClock, settle } from './sim-clock.ts'

export const NUMBER = '+15551234567'
export const OUR_NUMBER = '+15559876543'
export const HOOK_URL = 'https://hooks.example.com/landline'
const API_KEY = `sk_live_${'t'.repeat(43)}`

export interface AppOptions {
  /** Settings by their key: `'calls.max_concurrent': 2`. */
  settings?: Record<string, string | number | boolean>
  /** TOML that follows the trunk's: `[[billing.rates]]` … */
  toml?: string
  /** False: no trunk is configured. */
  trunk?: boolean
  /** What the model says. */
  reply?(messages: readonly Message[]): FakeReply
}

/** A call as `GET /calls/:id` shows it. */
export interface SeenCall {
  id: string
  status: CallStatus
  endReason: string | null
  sipCode: number | null
  summary: string | null
  transcript: { role: string; text: string }[]
  events: ({ type: string } & Record<string, unknown>)[]
  cost: number
  duration: number
  attempt: number
  callAt: string | null
  startedAt: string | null
  endedAt: string | null
  createdAt: string
  timings: Record<'speechEnd' | 'finalText' | 'firstToken' | 'firstSound' | 'onWire', string>[]
  [field: string]: unknown
}

interface Process {
  app: App
  clock: ProcessClock
  storage: ProcessStorage
  engines: FakeEngines
}

/** What was logged, from `info` up. */
export interface LogLine {
  level: string
  message: string
  fields: Record<string, unknown>
}

/** The sentence with which the usual human ends a call; the agent says goodbye and hangs up. */
export const GOODBYE = { at: 4000, ms: 800, text: 'Thanks, goodbye.' }

export class TestApp {
  readonly clock = new SimClock()
  readonly trunk: FakeTrunk = createFakeTrunk({ clock: this.clock })
  readonly receiver: FakeReceiver = createFakeReceiver()
  readonly log: LogLine[] = []
  readonly database: Storage & { clock: SimClock; ids: ReturnType<typeof openTestStorage>['ids'] }
  private options: AppOptions
  private process: Process
  private engineState: Probe['state'] = 'ready'
  private probeMs = 0

  private constructor(o: AppOptions) {
    this.options = o
    const { initialCreditCents } = configOf(o).billing
    this.database = openTestStorage({ clock: this.clock, initialCreditCents })
    this.process = this.boot()
  }

  /** Started, with one API key and 500 cents. */
  static async start(o: AppOptions = {}): Promise<TestApp> {
    const app = new TestApp(o)
    const { ids, keys, clock } = app.database
    await keys.create({ id: ids.uuid(), name: 't', hash: sha256(API_KEY), createdAt: clock.now() })
    await app.process.app.start()
    await settle()
    return app
  }

  get engines(): FakeEngines {
    return this.process.engines
  }

  // -------------------------------------------------------------- the API

  async send(method: string, path: string, o: Sent = {}): Promise<Answer> {
    const url = `http://localhost${path}`
    const response = await this.fetch(toRequest(method, url, { key: API_KEY, ...o }))
    const text = await response.text()
    const json = /json/.test(response.headers.get('content-type') ?? '')
      ? JSON.parse(text)
      : undefined
    return { status: response.status, headers: response.headers, text, json }
  }

  fetch(request: Request): Promise<Response> {
    return this.process.app.fetch(request)
  }

  /** The answer's body. Throws when its status is no success. */
  async ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await this.send(method, `/api/v1${path}`, body === undefined ? {} : { body })
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`)
    return answer.json as T
  }

  /** POST /calls as it is answered. */
  post(fields: Record<string, unknown> = {}, headers: Record<string, string> = {}) {
    const body = { phoneNumber: NUMBER, instructions: 'Order a large pepperoni.', ...fields }
    return this.send('POST', '/api/v1/calls', { body, headers })
  }

  /** The id of a call that was accepted. */
  async place(fields: Record<string, unknown> = {}): Promise<string> {
    const answer = await this.post(fields)
    if (answer.status !== 201) throw new Error(`not accepted: ${answer.status} ${answer.text}`)
    return (answer.json as { id: string }).id
  }

  call(id: string): Promise<SeenCall> {
    return this.ask<SeenCall>('GET', `/calls/${id}`)
  }

  cancel(id: string): Promise<Answer> {
    return this.send('POST', `/api/v1/calls/${id}/cancel`)
  }

  /** The event stream of a call, from after `lastEventId` on. */
  events(id: string, lastEventId?: number): Promise<Response> {
    const headers: Record<string, string> = {}
    if (lastEventId !== undefined) headers['last-event-id'] = String(lastEventId)
    const url = `http://localhost/api/v1/calls/${id}/events`
    return this.fetch(toRequest('GET', url, { key: API_KEY, headers }))
  }

  async balance(): Promise<number> {
    return (await this.ask<{ balance: number }>('GET', '/me')).balance
  }

  async credit(amountCents: number): Promise<void> {
    const { ids, ledger } = this.database
    await ledger.credit({ id: ids.uuid(), amountCents, at: this.clock.now() })
  }

  /** Creates a webhook. */
  hook(url = HOOK_URL, events?: string[]): Promise<{ id: string; secret: string }> {
    return this.ask('POST', '/webhooks', { url, ...(events ? { events } : {}) })
  }

  // -------------------------------------------------------------- time

  async run(ms: number): Promise<void> {
    await this.clock.advance(ms)
  }

  /** Moves time on in steps until `holds`; throws when that takes longer than `withinMs`. */
  async until(
    holds: () => boolean | Promise<boolean>,
    withinMs = 120_000,
    stepMs = 250,
  ): Promise<void> {
    for (let left = withinMs; !(await holds()); left -= stepMs) {
      if (left <= 0) throw new Error(`it did not come about within ${withinMs} ms`)
      await this.run(stepMs)
    }
  }

  /** Moves time on until a call has a status. */
  async reaches(id: string, status: CallStatus, withinMs?: number): Promise<SeenCall> {
    await this.until(async () => (await this.call(id)).status === status, withinMs)
    return this.call(id)
  }

  /** Moves time on until a call has ended. */
  async ended(id: string, withinMs?: number): Promise<SeenCall> {
    await this.until(async () => isFinal((await this.call(id)).status), withinMs)
    return this.call(id)
  }

  // -------------------------------------------------------------- processes

  /** What left for the phones on behalf of a call. */
  placed(id: string): PlacedCall[] {
    return this.trunk.placed.filter(({ callId }) => callId === id)
  }

  /** What the language model says of itself when it is asked next, and how long it takes to say it. */
  engineIs(state: Probe['state'], probeMs = 0): void {
    this.engineState = state
    this.probeMs = probeMs
  }

  /** Makes the database fail for the methods of its stores that this names, as a full disk would. */
  storageFails(when: (store: string, method: string) => boolean): void {
    this.process.storage.fails = when
  }

  storageMends(): void {
    this.process.storage.fails = () => false
  }

  /** kill -9: nothing of the process is heard of any more. */
  async kill(): Promise<void> {
    const { app, clock, storage } = this.process
    storage.revoke()
    clock.freeze()
    this.trunk.crash()
    // What is left of it in memory is cleared away; it can reach nothing.
    clock.rush()
    await app.stop()
    await settle()
    clock.freeze()
  }

  /** A new process on the same database, `afterMs` later, with these settings changed. */
  async restart(afterMs = 0, settings: AppOptions['settings'] = {}): Promise<void> {
    await this.run(afterMs)
    this.options = { ...this.options, settings: { ...this.options.settings, ...settings } }
    this.process = this.boot()
    await this.process.app.start()
    await settle()
  }

  /** SIGTERM: resolves with how long it took, ms. */
  async terminate(): Promise<number> {
    const from = this.clock.now()
    let over = false
    void this.process.app.stop().then(() => {
      over = true
    })
    for (let i = 0; i < 40 && !over; i++) await this.untilOver(() => over)
    if (!over) throw new Error('the appliance does not stop')
    return this.clock.now() - from
  }

  /** The HTTP server closes in real time. */
  private async untilOver(over: () => boolean): Promise<void> {
    for (let i = 0; i < 20 && !over(); i++) await settle()
    if (!over()) await this.run(500)
  }

  async close(): Promise<void> {
    await this.kill()
    await this.database.close()
  }

  private boot(): Process {
    const clock = createProcessClock(this.clock)
    const storage = connectStorage(this.database)
    const engines = this.makeEngines(clock)
    const config = configOf(this.options)
    const app = createApp(config, {
      clock,
      ids: this.database.ids,
      log: collectLog(this.log),
      storage,
      trunk: this.trunk,
      engines,
      metrics: createMetrics(),
      post: this.receiver.connect(clock),
      resolve: async () => ['93.184.215.14'],
      addressPolicy: createAddressPolicy(config.webhooks.allowedHosts),
      parts: [],
    })
    return { app, clock, storage, engines }
  }

  /** Each leg has a human of its own: what is heard depends on whose sound it is. */
  private makeEngines(clock: ProcessClock): FakeEngines {
    const engines = createFakeEngines({
      clock,
      hear: () => '',
      reply: this.options.reply ?? usualReply,
    })
    const recogniser: Engines['recogniser'] = {
      probe: () => engines.recogniser.probe(),
      recognise: async ({ ears, from, to, signal }) => {
        await sleep(clock, 60, signal)
        return { text: this.trunk.legOf(ears)?.textBetween(from, to) ?? '', noSpeech: 0 }
      },
    }
    const model: Engines['model'] = {
      ...engines.model,
      probe: async () => {
        if (this.probeMs > 0) await sleep(clock, this.probeMs)
        const state = this.engineState
        const bad = state === 'ready' ? {} : { reason: state, mend: 'ollama serve' }
        return { name: 'language model', state, ...bad }
      },
    }
    return { ...engines, recogniser, model }
  }
}

/** Returns what starts an appliance for the test that runs; it is gone after it. */
export function appForEachTest(): (o?: AppOptions) => Promise<TestApp> {
  const end = endAfterEach()
  return async (o) => {
    const app = await TestApp.start(o)
    end(() => app.close())
    return app
  }
}

function configOf(o: AppOptions): Config {
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
