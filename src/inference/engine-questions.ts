import { abortError } from '../core/abort.ts'

/** What an engine's thread was asked and has not answered yet, by id. */
export interface EngineQuestions<Reply> {
  /**
   * Posts what is asked under a new id. Settles with its answer, with an Error of what `failAll` says, or with
   * AbortError as soon as `signal` aborts.
   */
  ask(post: (id: number) => void, signal: AbortSignal): Promise<Reply>
  /** An answer came; one that nobody waits for any more is passed over. */
  answer(id: number, reply: Reply): void
  failAll(reason: string): void
  readonly waiting: number
}

export function createEngineQuestions<Reply>(): EngineQuestions<Reply> {
  const pending = new Map<number, { resolve(reply: Reply): void; reject(error: Error): void }>()
  let lastId = 0
  return {
    async ask(post, signal) {
      if (signal.aborted) throw abortError()
      const id = ++lastId
      const { promise, resolve, reject } = Promise.withResolvers<Reply>()
      const giveUp = (): void => reject(abortError())
      signal.addEventListener('abort', giveUp, { once: true })
      pending.set(id, { resolve, reject })
      try {
        post(id)
        return await promise
      } finally {
        pending.delete(id)
        signal.removeEventListener('abort', giveUp)
      }
    },
    answer: (id, reply) => pending.get(id)?.resolve(reply),
    failAll(reason) {
      for (const { reject } of [...pending.values()]) reject(new Error(reason))
    },
    get waiting() {
      return pending.size
    },
  }
}
