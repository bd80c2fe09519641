import type { ResultSchemas } from '../../calls/ports.ts'
import type { Clock } from '../../core/clock.ts'
import type { Part } from '../../core/lifecycle.ts'
import type { SchemaQuestion, SchemaVerdict } from './schema-messages.ts'

/** Whatever takes longer is hostile or of no use. The beginning of the thread is part of it. */
const LONGEST_CHECK_MS = 3000
/** So many wait for their turn. */
const MOST_WAITING = 64

/** Without its id. */
type Question = { schema: object; json?: string }

/**
 * Judges schemas and values on a thread of its own, one after the other. A check that takes too long is cut off by ending
 * the thread: it runs nothing native. Begun with the first check.
 */
export function createSchemaChecker(o: {
  clock: Clock
  spawn?: () => Worker
}): ResultSchemas & Part {
  let worker: Worker | undefined
  let last: Promise<unknown> = Promise.resolve()
  let waiting = 0
  let lastId = 0
  /** The check that runs. */
  let current: { id: number; settle(problem: string | null): void } | undefined

  function begin(): Worker {
    const begun = (o.spawn ?? spawnWorker)()
    const lose = (): void => {
      if (worker === begun) giveUp('cannot be checked')
    }
    begun.onmessage = ({ data }: MessageEvent<SchemaVerdict>) => {
      if (data.id === current?.id) current.settle(data.problem)
    }
    begun.onerror = (event) => {
      event.preventDefault()
      lose()
    }
    begun.addEventListener('close', lose)
    worker = begun
    return begun
  }

  /** Ends the thread and the check that runs on it. */
  function giveUp(problem: string): void {
    worker?.terminate()
    worker = undefined
    current?.settle(problem)
  }

  async function askThread(question: Question): Promise<string | null> {
    const { promise, resolve } = Promise.withResolvers<string | null>()
    const id = ++lastId
    current = { id, settle: resolve }
    const forget = o.clock.after(LONGEST_CHECK_MS, () => giveUp('takes too long to check'))
    const thread = worker ?? begin()
    thread.postMessage({ id, ...question } as SchemaQuestion)
    try {
      return await promise
    } finally {
      forget()
      current = undefined
    }
  }

  async function ask(question: Question): Promise<string | null> {
    if (waiting >= MOST_WAITING) return 'cannot be checked now: too many others are'
    waiting++
    const verdict = last.then(() => askThread(question))
    last = verdict
    try {
      return await verdict
    } finally {
      waiting--
    }
  }

  return {
    problemOfSchema: (schema) => ask({ schema }),
    problemOfValue: (schema, value) => ask({ schema, json: JSON.stringify(value) }),
    async start() {},
    async stop() {
      giveUp('cannot be checked now')
    },
  }
}

function spawnWorker(): Worker {
  return new Worker(new URL('./schema-worker.ts', import.meta.url).href)
}
