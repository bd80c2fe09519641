/** Media on a worker of its own: the main thread's handle to it. */
import type { Clock } from '../../core/clock.ts'
import type { Ids } from '../../core/ids.ts'
import type { Part } from '../../core/lifecycle.ts'
import type { Log } from '../../core/log.ts'
import { Lateness } from './lateness.ts'
import type { Media, MediaSession, MediaStats } from './media.ts'
import type { FromWorker, ToWorker } from './messages.ts'
import { RemoteSession } from './remote-session.ts'
import { WireLog } from './wire-log.ts'

/** Binding takes milliseconds; a worker that says nothing for so long will not any more. */
const OPEN_TIMEOUT_MS = 5000
const END_TIMEOUT_MS = 1000

export interface MediaOptions {
  clock: Clock
  log: Log
  ids: Ids
  /** The address that RTP sockets are bound to. */
  bindHost: string
  /** First and last UDP port for sound; even ones are used. [0, 0] takes any free port. */
  portRange: readonly [number, number]
  /** So long without a packet, and a session is silent. */
  silenceTimeoutMs: number
  /** Where Opus's native part is unpacked to when the worker starts; without it Opus is not offered. */
  opusDir?: string
  /** Each session keeps a log of its wire: for who measures the other side. */
  wireLogs?: boolean
  /** Told the last figures of each session. */
  onClosed?: (stats: MediaStats) => void
}

interface Entry {
  session: RemoteSession
  /** Until the port is bound. */
  opening?: { done(): void; fail(error: Error): void }
}

export interface WorkerMedia extends Media, Part {
  /** How late packets have left. */
  readonly lateness: Lateness
}

/**
 * One worker carries the sound of every call. It is made at the first `open`, so that an idle appliance has no such
 * thread; when it dies its sessions turn silent and the next `open` makes another. `stop` ends it; `open` fails then.
 */
export function createMedia(o: MediaOptions): WorkerMedia {
  const lateness = new Lateness()
  const entries = new Map<string, Entry>()
  let worker: Worker | undefined
  let stopped = false

  function startWorker(): Worker {
    const started = new Worker(new URL('./media-worker.ts', import.meta.url).href)
    started.onmessage = (event: MessageEvent<FromWorker>) => take(event.data)
    started.onerror = (event) => lose(started, event.message)
    started.addEventListener('close', () => lose(started, 'it ended'))
    const opusDir = o.opusDir ?? null
    started.postMessage({ type: 'begin', opusDir, lateness: lateness.buffer } satisfies ToWorker)
    return started
  }

  function take(message: FromWorker): void {
    if (message.type === 'without_opus') {
      o.log.warn('Opus is not offered', { reason: message.reason })
      return
    }
    const entry = entries.get(message.session)
    // Nobody waits any more for a port that was bound too late.
    if (!entry && message.type === 'opened') close(message.session)
    if (!entry) return
    entry.session.take(message)
    if (message.type === 'opened') entry.opening?.done()
    if (message.type === 'refused') entry.opening?.fail(new Error(message.reason))
    if (message.type === 'closed') {
      entries.delete(message.session)
      o.onClosed?.(message.stats)
    }
    if (message.type === 'trouble')
      o.log.debug('an RTP socket reported an error', { reason: message.reason })
    if (message.type !== 'failed') return
    o.log.error('The media worker gave up a session', { reason: message.reason })
    entries.delete(message.session)
    entry.session.fail()
  }

  function close(session: string): void {
    worker?.postMessage({ type: 'close', session } satisfies ToWorker)
  }

  /** Everything that was on this worker is gone. */
  function lose(lost: Worker, reason: string): void {
    if (worker !== lost) return
    worker = undefined
    lost.terminate()
    o.log.error('The media worker died', { reason, sessions: entries.size })
    for (const { session, opening } of entries.values()) {
      opening?.fail(new Error(`the media worker died: ${reason}`))
      session.fail()
    }
    entries.clear()
  }

  return {
    lateness,
    async open(): Promise<MediaSession> {
      if (stopped) throw new Error('opening a media port: media is stopped')
      worker ??= startWorker()
      const at = worker
      const id = o.ids.uuid()
      const wire = o.wireLogs ? WireLog.create() : null
      const session = new RemoteSession(id, (message) => at.postMessage(message), wire)
      const entry: Entry = { session }
      entries.set(id, entry)
      const opened = new Promise<void>((done, fail) => {
        entry.opening = { done, fail }
      })
      const forget = o.clock.after(OPEN_TIMEOUT_MS, () =>
        entry.opening?.fail(new Error('the media worker does not answer')),
      )
      at.postMessage(openMessage(id, wire, o))
      try {
        await opened
        return session
      } catch (error) {
        entries.delete(id)
        session.abandon()
        throw new Error(`opening a media port: ${(error as Error).message}`, { cause: error })
      } finally {
        forget()
        delete entry.opening
      }
    },
    async start() {},
    async stop() {
      stopped = true
      for (const { session, opening } of entries.values()) {
        opening?.fail(new Error('media is stopped'))
        session.abandon()
      }
      entries.clear()
      const ending = worker
      worker = undefined
      if (ending) await end(ending, o.clock)
    },
  }
}

/**
 * Ends a worker; resolves when it is gone and its ports are free. It is asked to end by itself, since a thread that is
 * ended from outside within native code takes the process along; only one that does not listen is.
 */
function end(worker: Worker, clock: Clock): Promise<void> {
  return new Promise((done) => {
    const forget = clock.after(END_TIMEOUT_MS, () => {
      worker.terminate()
      done()
    })
    worker.addEventListener('close', () => {
      forget()
      done()
    })
    worker.postMessage({ type: 'end' } satisfies ToWorker)
  })
}

/** SSRC, first sequence number and first timestamp are random (RFC 3550 §5.1), and so is the port. */
function openMessage(id: string, wire: WireLog | null, o: MediaOptions): ToWorker {
  const random = (below: number): number => Math.floor(o.ids.fraction() * below)
  return {
    type: 'open',
    session: id,
    bindHost: o.bindHost,
    ports: o.portRange,
    startAt: o.ids.fraction(),
    ssrc: random(2 ** 32),
    // RFC 3711 §3.3.1: far from the first wrap, which both sides have to count alike.
    sequence: random(2 ** 15),
    timestamp: random(2 ** 32),
    cname: o.ids.hex(12),
    silenceTimeoutMs: o.silenceTimeoutMs,
    wire: wire?.buffer ?? null,
  }
}
