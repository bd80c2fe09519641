/** Rolling partial texts: what someone has said so far while they go on. */
import type { Clock } from '../core/clock.ts'
import type { Ring } from '../core/ring.ts'
import type { Recogniser } from './ports.ts'

/** How often the growing speech is recognised anew, at most. */
export const PARTIAL_MS = 500

/**
 * Recognises the speech from `from` to what has arrived, again and again, one request at a time, and tells each text that
 * is not the one before. A recogniser that remembers the utterance has less to do for the whole of it then. Requests that
 * fail are passed over: the whole text tells what is wrong. Returns what ends it; nothing is told after that.
 */
export function followSpeech(
  d: { recogniser: Recogniser; clock: Clock; language?: string; prompt?: string },
  o: { ears: Ring; from: number; onText: (text: string) => void },
): () => void {
  const { recogniser, clock, language, prompt } = d
  const over = new AbortController()
  let last = ''
  let forget: () => void = () => undefined

  async function ask(): Promise<void> {
    const begun = clock.steady()
    try {
      const { text } = await recogniser.recognise({
        ears: o.ears,
        from: o.from,
        to: o.ears.written,
        partial: true,
        signal: over.signal,
        ...(language !== undefined && { language }),
        ...(prompt !== undefined && { prompt }),
      })
      if (!over.signal.aborted && text !== last) o.onText(text)
      last = text
    } catch {
      // The next one may fare better.
    }
    if (!over.signal.aborted) askAfter(Math.max(0, PARTIAL_MS - (clock.steady() - begun)))
  }

  function askAfter(ms: number): void {
    forget = clock.after(ms, () => void ask())
  }

  askAfter(PARTIAL_MS)
  return () => {
    over.abort()
    forget()
  }
}
