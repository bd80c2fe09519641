/** What both kinds of model servers have in common: a reply streamed as lines. */
import type { Log } from '../../core/log.ts'
import { readLines } from './lines.ts'

/** More than any line of a model. */
const MAX_LINE = 256 * 1024
/** So many lines without sense are a broken server. */
const MAX_MALFORMED = 20

/** Whether a response streams its answer; what does not is one JSON text, most often a complaint. */
export function isStream(response: Response): boolean {
  return !(response.headers.get('content-type') ?? '').includes('application/json')
}

/** The lines of a reply. Throws LineTooLong. */
export function modelLines(body: AsyncIterable<Uint8Array> | null): AsyncIterable<string> {
  return readLines(body ?? nothing(), MAX_LINE)
}

/** Logs and counts the lines of one reply that mean nothing; throws when there are so many that no sense will come. */
export function createNonsenseCounter(log: Log): () => void {
  let count = 0
  return () => {
    log.warn('line of the model server ignored', { reason: 'no JSON object' })
    if (++count > MAX_MALFORMED) throw new Error('its answer is not understood')
  }
}

async function* nothing(): AsyncIterable<Uint8Array> {}
