/** What the main thread and the media worker tell each other. Sound goes by handle, in shared memory. */
import type { Agreement, CodecName, MediaStats } from './media.ts'

/** Every message of a session but `open` is ignored for one that is not open (any more). */
export type ToWorker =
  | {
      /** The first message. */
      type: 'begin'
      /** Where Opus is unpacked to; null: it is not wanted. */
      opusDir: string | null
      lateness: SharedArrayBuffer
    }
  | {
      type: 'open'
      session: string
      bindHost: string
      /** Even ports of this range are tried, from a random place on; [0, 0] is any free one. */
      ports: readonly [number, number]
      /** In [0, 1): where in the range the search begins. */
      startAt: number
      ssrc: number
      sequence: number
      timestamp: number
      cname: string
      silenceTimeoutMs: number
      /** A `WireLog`; null: nobody measures. */
      wire: SharedArrayBuffer | null
    }
  | { type: 'agree'; session: string; agreement: Agreement; ears: SharedArrayBuffer }
  | { type: 'enqueue'; session: string; clip: number; samples: Int16Array<SharedArrayBuffer> }
  | { type: 'stop'; session: string }
  | { type: 'press'; session: string; press: number; digits: string }
  | { type: 'close'; session: string }
  /** The last message: the thread ends by itself, never within native code. */
  | { type: 'end' }

export type FromWorker =
  /** Opus was wanted and cannot be had. */
  | { type: 'without_opus'; reason: string }
  | { type: 'opened'; session: string; port: number; codecs: readonly CodecName[] }
  | { type: 'refused'; session: string; reason: string }
  | { type: 'started'; session: string; clip: number }
  | { type: 'ended'; session: string; clip: number; heardSamples: number; whole: boolean }
  | { type: 'pressed'; session: string; press: number }
  /** The other side pressed a key. */
  | { type: 'digit'; session: string; digit: string }
  | { type: 'silent'; session: string }
  /** Every second, and once more with `closed`. */
  | { type: 'stats'; session: string; stats: MediaStats }
  /** The socket said something; told once a session. */
  | { type: 'trouble'; session: string; reason: string }
  /** A fault of our own ended the session; its port is free. */
  | { type: 'failed'; session: string; reason: string }
  | { type: 'closed'; session: string; stats: MediaStats }
