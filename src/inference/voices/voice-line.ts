import type { Clock } from '../../core/clock.ts'
import type { Log } from '../../core/log.ts'
import { createEngineThread } from '../engine-thread.ts'
import { type Clip, createPhraseLine, type Waiting } from '../phrase-line.ts'
import type { VoiceReply, VoiceRequest, VoiceSource } from './voice-messages.ts'

/** Loading a model and a long phrase on a slow machine are done by then; a thread that is silent for longer hangs. */
const PHRASE_MS = 30_000
/** What nobody waits for yet has waited long enough after this to go before later phrases. */
const PATIENCE_MS = 3_000

/** How soon a phrase is wanted: while somebody hears silence, while speech goes on, some time. */
export const RANKS = { first: 0, later: 1, ahead: 2 } as const
export type Rank = keyof typeof RANKS

export interface Phrase {
  source: VoiceSource
  /** Spoken text. */
  text: string
  rateHz: number
}

/** The line before the thread of the voices, which all calls share: one phrase at a time, the most wanted first. */
export interface VoiceLine {
  /** The sound of one phrase, null when it has none. Rejects with AbortError at once when `signal` aborts. */
  speak(phrase: Phrase, rank: Rank, signal: AbortSignal): Promise<Clip>
  /** Why the last phrase failed; undefined when it did not. */
  readonly failure: string | undefined
  /** Ends the thread; what waits rejects. A later phrase starts another. */
  stop(): Promise<void>
}

interface Wish extends Phrase {
  rank: Rank
}

export function createVoiceLine(o: {
  clock: Clock
  log: Log
  /** How errors call the engine. */
  name: string
  spawn(): Worker
  begin(): Extract<VoiceRequest, { type: 'begin' }>
}): VoiceLine {
  const line = createPhraseLine<Wish>({
    clock: o.clock,
    log: o.log,
    name: o.name,
    engine: o.name,
    phraseMs: PHRASE_MS,
    next: mostWanted,
    send: (id, { source, text, rateHz }) =>
      thread.post({ type: 'speak', id, source, text, rateHz }),
    // It may be in the model's own code, where it cannot be ended: it is told to leave, and another begins.
    onHang: () => void thread.stop(),
  })
  const thread = createEngineThread<VoiceRequest, VoiceReply>({
    clock: o.clock,
    spawn: o.spawn,
    onBegin: o.begin,
    onReply: (reply) => line.replied(reply.id, reply),
    onLost: line.lost,
  })
  return {
    speak: (phrase, rank, signal) => line.speak({ ...phrase, rank }, signal),
    get failure() {
      return line.failure
    },
    async stop() {
      line.clear()
      await thread.stop()
    },
  }
}

/** The first of the lowest rank: within a rank, first come, first served. */
function mostWanted(waiting: readonly Waiting<Wish>[], now: number): number {
  const ranks: number[] = waiting.map(({ phrase: { rank }, since }) =>
    rank === 'ahead' && now - since > PATIENCE_MS ? RANKS.later : RANKS[rank],
  )
  return ranks.indexOf(Math.min(...ranks))
}
