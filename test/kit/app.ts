/** The whole appliance on simulated time: real rules, scheduler and SQLite; fake telephones, engines and receivers. */
import { type CallStatus, isFinal } from '../../src/calls/call.ts'
import { type Ids, sha256 } from '../../src/core/ids.ts'
import type { Probe } from '../../src/core/probe.ts'
import type { Storage } from '../../src/storage/open.ts'
import {
  type AppOptions,
  type AppProcess,
  bootProcess,
  configOf,
  type World,
} from './app-process.ts'
import { endAfterEach } from './end-after-each.ts'
import type { FakeEngines } from './fake-engines.ts'
import { createFakeReceiver } from './fake-receiver.ts'
import { createFakeTrunk, type PlacedCall } from './fake-trunk.ts'
import { type Answer, type Sent, toRequest } from './http-client.ts'
import { openTestStorage } from './open-test-storage.ts'
import { SimClock, settle } from './sim-clock.ts'

export const NUMBER = '+15551234567'
export const HOOK_URL = 'https://hooks.example.com/landline'
const API_KEY = `sk_live_${'t'.repeat(43)}`

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

/** The sentence with which the usual human ends a call; the agent says goodbye and hangs up. */
export const GOODBYE = { at: 4000, ms: 800, text: 'Thanks, goodbye.' }

export class TestApp implements World {
  readonly clock = new SimClock()
  readonly trunk = createFakeTrunk({ clock: this.clock })
  readonly receiver = createFakeReceiver()
  readonly log: World['log'] = []
  readonly model: World['model'] = { state: 'ready', probeMs: 0 }
  readonly database: Storage & { ids: Ids; clock: SimClock }
  private options: AppOptions
  private process: AppProcess

  private constructor(o: AppOptions) {
    this.options = o
    const { initialCreditCents } = configOf(o).billing
    this.database = openTestStorage({ clock: this.clock, initialCreditCents })
    this.process = bootProcess(this, o)
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
    Object.assign(this.model, { state, probeMs })
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
    this.process = bootProcess(this, this.options)
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
