import type {
  Brief,
  CallBackOutcome,
  Conversation,
  Leg,
  Talk,
  TalkEvent,
  Talker,
} from '../calls/ports.ts'
import { isAbortError } from '../core/abort.ts'
import type { Clock } from '../core/clock.ts'
import { reasonOf } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import { TELEPHONE_RATE_HZ } from '../core/pcm.ts'
import { holdConversation } from './conversation.ts'
import type { Engines } from './ports.ts'
import { systemPrompt } from './prompt.ts'
import { piecesOf } from './recital.ts'
import { createStockLines, type StockLines } from './stock-lines.ts'
import { summarise } from './summary.ts'
import { toolsFor } from './tools.ts'

export interface TalkerDeps {
  clock: Clock
  log: Log
  engines: Engines
  /** Schedules a call like the call `callId`, for `at`; without it the agent cannot. */
  callBack?(callId: string, at: number): Promise<CallBackOutcome>
  options: {
    /** IANA name of the account's time zone. */
    timezone: string
    /** After so long without a reply the call ends with an apology. */
    llmTimeoutMs: number
    /** BCP 47 tag of what is spoken. */
    language: string
    /** The rates that a leg's sound may have, the likeliest first; 8 kHz unless given. */
    rates?: readonly number[]
  }
}

/** Who talks on calls, by the engines given. */
export function createTalker(d: TalkerDeps): Talker {
  const stock = createStockLines({ voice: d.engines.voice, clock: d.clock })
  return {
    prepare: (brief) => prepare(d, stock, brief),
    summarise: (brief, transcript, signal) =>
      summarise({ model: d.engines.model, clock: d.clock, log: d.log }, brief, transcript, signal),
  }
}

function prepare(d: TalkerDeps, stock: StockLines, brief: Brief): Conversation {
  const { clock, log, engines } = d
  const { timezone, language, llmTimeoutMs } = d.options
  const preparing = new AbortController()
  const schedule = d.callBack
  const callBack = schedule ? (at: number) => schedule(brief.callId, at) : null
  const tools = toolsFor({ transferTo: brief.transferTo, callBacks: callBack !== null })
  const prompt = systemPrompt(brief, { now: clock.now(), timezone, language })
  const first = (rateHz: number) =>
    brief.firstMessage === null
      ? null
      : piecesOf({ voice: engines.voice, clock }, { text: brief.firstMessage, rateHz })
  // Which codec is agreed on is known only at the answer: what is said first waits in each rate that it may have.
  const rates = d.options.rates ?? [TELEPHONE_RATE_HZ]
  const prepared = new Map(rates.map((rateHz) => [rateHz, first(rateHz)]))

  const tell = (what: string) => (error: unknown) => {
    if (!isAbortError(error)) log.warn(what, { callId: brief.callId, reason: reasonOf(error) })
  }
  async function warmUp(): Promise<void> {
    const { signal } = preparing
    const messages = [{ role: 'system', content: prompt }] as const
    await engines.model.warmUp({ messages, tools, signal })
  }

  const ready = Promise.withResolvers<void>()

  async function synthesise(): Promise<void> {
    const { signal } = preparing
    for (const pieces of prepared.values())
      for (const piece of pieces ?? [])
        await piece.clips(signal).catch(tell('first message not prepared'))
    ready.resolve()
    for (const rateHz of rates) await stock.prepare(rateHz, signal)
  }

  void warmUp().catch(tell('model not warmed up'))
  void synthesise()

  return {
    ready: ready.promise,
    discard: () => preparing.abort(),
    async talk(leg: Leg, o: { signal: AbortSignal; on(event: TalkEvent): void }): Promise<Talk> {
      const { rateHz } = leg.ears
      const firstMessage = prepared.has(rateHz) ? (prepared.get(rateHz) ?? null) : first(rateHz)
      const parts = {
        clock,
        log,
        engines,
        stock,
        brief,
        language,
        timezone,
        callBack,
        llmTimeoutMs,
      }
      try {
        return await holdConversation(
          { ...parts, tools, firstMessage, systemPrompt: prompt },
          leg,
          o,
        )
      } finally {
        preparing.abort()
      }
    },
  }
}
