import type { SpeechEvent } from '../../conversation/ports.ts'
import type { EndRequest } from '../engine-thread.ts'

/** What the speech detector's thread is told. */
export type VadRequest =
  | EndRequest
  /** First of all. */
  | { type: 'begin'; dataDir: string }
  /** Listen from position `at` on, within a run of speech since `speechFrom` when that is not null. */
  | { type: 'watch'; id: number; ears: SharedArrayBuffer; at: number; speechFrom: number | null }
  | { type: 'unwatch'; id: number }
  /** Run the model once. */
  | { type: 'probe'; id: number }

/** What it tells. */
export type VadReply =
  | { type: 'event'; id: number; event: SpeechEvent }
  | { type: 'probed'; id: number }
  /** It cannot work at all: why. It has to be begun anew. */
  | { type: 'failed'; reason: string }
