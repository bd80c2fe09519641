import type { StoredEvent } from '../calls/call-store.ts'
import type { Clock } from '../core/clock.ts'
import { reasonOf } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import { invalid } from './errors.ts'

/** A quiet stream says something this often, so that nobody between us and the client takes it for dead. */
export const HEARTBEAT_MS = 15_000

const HEADERS = { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' }

/** The open event streams of this server. */
export interface EventStreams {
  /**
   * Server-Sent Events from `events`, one message each, closed after `end`. When the client goes, `watching` is aborted
   * and the iterator returned. `bodyless`: only the headers, as HEAD wants them.
   */
  respond(
    events: AsyncIterable<StoredEvent>,
    o: { watching: AbortController; bodyless: boolean },
  ): Response
  /** How many clients watch. */
  readonly open: number
  /** Ends every stream. */
  closeAll(): void
}

export function createEventStreams(d: { clock: Clock; log: Log }): EventStreams {
  const closers = new Set<() => void>()
  return {
    respond(events, { watching, bodyless }) {
      const iterator = events[Symbol.asyncIterator]()
      const release = (): void => {
        watching.abort()
        // A generator that waits for the next event returns once the signal has woken it.
        Promise.resolve(iterator.return?.()).catch(() => undefined)
      }
      if (bodyless) release()
      const body = bodyless ? null : stream(d, { iterator, release, closers })
      return new Response(body, { headers: HEADERS })
    },
    get open() {
      return closers.size
    },
    closeAll() {
      for (const close of [...closers]) close()
    },
  }
}

/** Pulls: a client that does not read holds up only its own iterator, and nothing piles up for it. */
function stream(
  d: { clock: Clock; log: Log },
  o: { iterator: AsyncIterator<StoredEvent>; release(): void; closers: Set<() => void> },
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  let forgetBeat = (): void => undefined
  let closed = false
  let end = (): void => undefined

  function finish(): void {
    if (closed) return
    closed = true
    forgetBeat()
    o.closers.delete(end)
    o.release()
  }

  return new ReadableStream<Uint8Array>({
    start(controller) {
      end = () => {
        if (closed) return
        finish()
        controller.close()
      }
      o.closers.add(end)
      const beat = (): void => {
        // Says at once that the stream stands, then that it still does; skipped while the client does not read.
        if ((controller.desiredSize ?? 0) > 0) controller.enqueue(encoder.encode(':\n\n'))
        forgetBeat = d.clock.after(HEARTBEAT_MS, beat)
      }
      beat()
    },
    async pull(controller) {
      try {
        const next = await o.iterator.next()
        if (closed) return
        if (next.done) return end()
        controller.enqueue(encoder.encode(toMessage(next.value)))
        if (next.value.type === 'end') end()
      } catch (error) {
        d.log.warn('event stream broke', { reason: reasonOf(error) })
        end()
      }
    },
    cancel: finish,
  })
}

/** One event in the text form of the HTML standard §9.2; JSON holds no line break. */
function toMessage(event: StoredEvent): string {
  return `id: ${event.seq}\nevent: ${event.type}\ndata: ${JSON.stringify(event.data)}\n\n`
}

/** Where a client wants to go on: the number of the last event it saw, 0 for the beginning. */
export function lastEventId(request: Request): number {
  const text = request.headers.get('last-event-id') ?? ''
  if (text === '') return 0
  if (!/^\d{1,15}$/.test(text))
    throw invalid('Last-Event-ID must be the id of an event of this call.')
  return Number(text)
}
