/** Whether Ollama answers two requests at once: no part of its API tells, so it is tried. */
import type { Clock } from '../../core/clock.ts'
import type { Probe } from '../../core/probe.ts'
import { field, toServerError } from '../openai/server-error.ts'
import { within } from '../time-limit.ts'

const NAME = 'language model, calls at once'
/** The model may have to be loaded first. */
const LONGEST_TRIAL_MS = 30_000
const LONG = { text: 'Count from one to two hundred in words.', maxTokens: 64 }
const SHORT = { text: 'Say yes.', maxTokens: 1 }
const never = new AbortController().signal

type Stream = AsyncIterable<unknown>

interface Deps {
  clock: Clock
  /** How sentences call it. */
  server: string
  ask(o: { text: string; maxTokens: number; signal: AbortSignal }): Promise<Stream>
}

/**
 * Sends a short request while a long one is being answered. It took turns when the short one had nothing until the long
 * one was over, and by Ollama's own account was not at work meanwhile. Warns in a `ready` probe: one call at a time works.
 */
export async function probeAtOnce(d: Deps): Promise<Probe> {
  try {
    const found = await within(d.clock, LONGEST_TRIAL_MS, (signal) => tryTwo(d, signal))
    if (found === 'at once')
      return { name: NAME, state: 'ready', reason: 'two were answered at once' }
    if (found === 'unknown')
      return { name: NAME, state: 'ready', reason: 'not found out: the model answers too briefly' }
    return {
      name: NAME,
      state: 'ready',
      reason: `warning: ${d.server} answers one request after the other, so each call waits for the others`,
      mend: 'start Ollama with OLLAMA_NUM_PARALLEL set to the number of calls at once, and with memory for it',
    }
  } catch (error) {
    return { name: NAME, state: 'away', reason: toServerError(d.server, error, never).message }
  }
}

async function tryTwo(d: Deps, signal: AbortSignal): Promise<'at once' | 'one by one' | 'unknown'> {
  const long = (await d.ask({ ...LONG, signal }))[Symbol.asyncIterator]()
  if ((await long.next()).done) return 'unknown'
  const begun = d.clock.steady()
  let longEnded: number | null = null
  const rest = (async () => {
    while (!(await long.next()).done);
    longEnded = d.clock.steady()
  })()
  const short = readShort(d, signal)
  const [{ longWasOver, idleMs }] = await Promise.all([
    short.then((read) => ({ ...read, longWasOver: longEnded !== null })),
    rest,
  ])
  if (!longWasOver) return 'at once'
  const overlapMs = (longEnded ?? begun) - begun
  // Both may merely have been quick: the short one has to have waited for most of the long one.
  return idleMs !== null && overlapMs > 0 && idleMs >= overlapMs / 2 ? 'one by one' : 'unknown'
}

/** Until its first word. How long it waited without being worked on, by the server's account of its end; ms. */
async function readShort(d: Deps, signal: AbortSignal): Promise<{ idleMs: number | null }> {
  let last: unknown
  for await (const part of await d.ask({ ...SHORT, signal })) last = part
  const ns = (name: string): number | null => {
    const value = field(last, name)
    return typeof value === 'number' ? value : null
  }
  const total = ns('total_duration')
  if (total === null) return { idleMs: null }
  const worked = ['load_duration', 'prompt_eval_duration', 'eval_duration']
  return { idleMs: (total - worked.reduce((sum, name) => sum + (ns(name) ?? 0), 0)) / 1e6 }
}
