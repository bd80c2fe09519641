import type { TurnModel } from '../../conversation/ports.ts'
import type { Clock } from '../../core/clock.ts'
import { reasonOf } from '../../core/errors.ts'
import type { Part } from '../../core/lifecycle.ts'
import type { Log } from '../../core/log.ts'
import type { Probe } from '../../core/probe.ts'
import { createEngineQuestions } from '../engine-questions.ts'
import { createEngineThread } from '../engine-thread.ts'
import { TimeLimitError, within } from '../time-limit.ts'
import type { TurnReply, TurnRequest } from './turn-messages.ts'
import { isSmartTurnInstalled, SMART_TURN } from './turn-net.ts'

const NAME = 'turn model'
/** Nobody waits longer for a judgement: the text has decided by then. */
const JUDGE_MS = 1_000
const PROBE_MS = 10_000
/** With so many questions before it an answer would come too late: it is not asked. */
const MOST_UNANSWERED = 16

export interface TurnModelDeps {
  clock: Clock
  log: Log
  dataDir: string
  spawn?: () => Worker
}

/**
 * Smart Turn in a worker of its own, for all calls. The model is loaded at `start`, so that the first turn does not wait
 * for it. `judge` rejects with one sentence when the model does not load, is late by a second or has too much to do;
 * the log says why once.
 */
export function createTurnModel(deps: TurnModelDeps): TurnModel & Part {
  const { clock, log, dataDir, spawn = spawnWorker } = deps
  const questions = createEngineQuestions<TurnReply>()
  const thread = createEngineThread<TurnRequest, TurnReply>({
    clock,
    spawn,
    onBegin: () => ({ type: 'begin', dataDir }),
    onReply(reply) {
      unanswered--
      questions.answer(reply.id, reply)
    },
    onLost(reason) {
      unanswered = 0
      log.error('turn model lost', { reason, waiting: questions.waiting })
      questions.failAll(`the turn model died: ${reason}`)
    },
  })
  let told: string | undefined
  /** What the thread has yet to answer, whether somebody still waits for it or not. */
  let unanswered = 0

  async function ask(
    ms: number,
    request: (id: number) => TurnRequest,
  ): Promise<Extract<TurnReply, { file: string }>> {
    const post = (id: number): void => {
      thread.post(request(id))
      unanswered++
    }
    const reply = await within(clock, ms, (signal) => questions.ask(post, signal))
    if ('failed' in reply) throw new Error(withoutPath(reply.failed, dataDir))
    return reply
  }

  /** Once for each reason after the other: a model that does not load fails at every pause. */
  function tell(reason: string): void {
    if (reason !== told) log.warn('turns go by their text alone', { reason })
    told = reason
  }

  async function probe(): Promise<Probe> {
    if (!isSmartTurnInstalled(dataDir))
      return missing('Smart Turn is not installed', `landline models pull ${SMART_TURN}`)
    try {
      const { file } = await ask(PROBE_MS, (id) => ({ type: 'probe', id }))
      told = undefined
      return { name: NAME, state: 'ready', reason: `Smart Turn, ${file}` }
    } catch (error) {
      const reason = reasonOf(error)
      if (error instanceof TimeLimitError)
        return { name: NAME, state: 'away', reason, mend: 'restart Landline when this stays' }
      return missing(reason, 'landline models verify')
    }
  }

  return {
    async judge({ ears, from, to }) {
      try {
        if (unanswered >= MOST_UNANSWERED) throw new Error('too many turns at once')
        const sound = { ears: ears.buffer, from, to }
        const { chance } = await ask(JUDGE_MS, (id) => ({ type: 'judge', id, ...sound }))
        return chance
      } catch (error) {
        tell(reasonOf(error))
        throw error
      }
    },
    probe,
    async start() {
      void probe().then(({ state, reason }) => {
        if (state !== 'ready') tell(reason ?? state)
      })
    },
    async stop() {
      unanswered = 0
      questions.failAll('the turn model was stopped')
      await thread.stop()
    },
  }
}

function missing(reason: string, mend: string): Probe {
  return { name: NAME, state: 'missing', reason, mend }
}

/** No path of this machine goes into a probe. */
function withoutPath(reason: string, dataDir: string): string {
  return reason.replaceAll(`${dataDir}/`, '')
}

function spawnWorker(): Worker {
  return new Worker(new URL('./smart-turn-worker.ts', import.meta.url).href)
}
