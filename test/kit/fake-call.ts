import type {
  Brief,
  CallBackOutcome,
  Talk,
  TalkEvent,
  Talker,
  TransferOutcome,
} from '../../src/calls/ports.ts'
import { createTalker } from '../../src/conversation/talker.ts'
import { silentLog } from '../../src/core/log.ts'
import { toMs } from '../../src/core/pcm.ts'
import { createFakeEngines, type FakeEngineOptions, type FakeEngines } from './fake-engines.ts'
import { createFakeLeg, type FakeLeg, type Speech } from './fake-leg.ts'
import { SimClock } from './sim-clock.ts'

export interface FakeCallOptions extends Partial<Omit<FakeEngineOptions, 'clock' | 'hear'>> {
  says?: readonly Speech[]
  brief?: Partial<Brief>
  /** How long it rings. */
  ringMs?: number
  llmTimeoutMs?: number
  /** What becomes of a transfer; each succeeds after a second unless told otherwise. */
  transfer?: (number: string) => Promise<TransferOutcome>
  /** What comes of scheduling another call; without it none can be. */
  callBack?: (callId: string, at: number) => Promise<CallBackOutcome>
  /** Engines that fail from the start. */
  broken?: Partial<FakeEngines['broken']>
}

export interface FakeCall {
  clock: SimClock
  leg: FakeLeg
  engines: FakeEngines
  talker: Talker
  stop: AbortController
  /** `at` is ms since the answer. */
  events: { at: number; event: TalkEvent }[]
  /** Set once the conversation is over. */
  talk: Talk | null
  /** Moves time on by `ms`. */
  run(ms: number): Promise<void>
  /** Moves time on until the conversation is over; throws when that takes longer than `ms`. */
  finish(ms?: number): Promise<Talk>
  /** What the agent sounded: when each clip began and ended, how much of it was heard, what it says. */
  sounds(): { at: number; until: number; ms: number; text: string; whole: boolean }[]
}

const BRIEF: Brief = {
  callId: '0195b1a0-0000-7000-8000-000000000001',
  instructions: 'Order a large pepperoni pizza for pickup at seven.',
  firstMessage: 'Hi, I would like to place an order for pickup please.',
  name: "Joe's Pizza",
  toNumber: '+15551234567',
  transferTo: null,
  voicemail: null,
  maxDurationSeconds: 600,
}

/** A call that was answered now, held by the real talker with fake engines on simulated time. */
export async function placeCall(o: FakeCallOptions = {}): Promise<FakeCall> {
  const clock = new SimClock()
  let leg: FakeLeg | undefined
  const { says, brief, ringMs, llmTimeoutMs, broken, transfer, callBack, ...engineOptions } = o
  const engines = createFakeEngines({
    clock,
    hear: (from, to) => leg?.textBetween(from, to) ?? '',
    ...engineOptions,
  })
  Object.assign(engines.broken, broken)
  const talker = createTalker({
    clock,
    log: silentLog,
    engines,
    ...(callBack ? { callBack } : {}),
    options: { timezone: 'Europe/Berlin', llmTimeoutMs: llmTimeoutMs ?? 20_000, language: 'en' },
  })
  const conversation = talker.prepare({ ...BRIEF, ...brief })
  await clock.advance(ringMs ?? 5000)
  const answered = createFakeLeg({
    clock,
    ...(says ? { says } : {}),
    ...(transfer ? { transfer } : {}),
  })
  leg = answered
  const stop = new AbortController()
  const events: FakeCall['events'] = []
  const call: FakeCall = {
    clock,
    leg: answered,
    engines,
    talker,
    stop,
    events,
    talk: null,
    run: (ms) => clock.advance(ms),
    async finish(ms = 700_000) {
      for (let left = ms; left > 0 && !call.talk; left -= 500) await clock.advance(500)
      if (!call.talk) throw new Error(`the conversation is not over after ${ms} ms`)
      return call.talk
    },
    sounds: () =>
      answered.played.map(({ clip, from, to, heardSamples }) => ({
        at: from,
        until: to,
        ms: toMs(heardSamples),
        text: engines.textOf.get(clip) ?? '',
        whole: heardSamples === clip.length,
      })),
  }
  void conversation
    .talk(answered, {
      signal: stop.signal,
      on: (event) => events.push({ at: answered.time(), event }),
    })
    .then((talk) => {
      call.talk = talk
    })
  await clock.advance(0)
  return call
}
