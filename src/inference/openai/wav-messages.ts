import type { EndRequest } from '../engine-thread.ts'

/** What the thread is told that makes WAV files of utterances. */
export type WavRequest =
  | EndRequest
  | { type: 'make'; id: number; ears: SharedArrayBuffer; from: number; to: number }

/** What it tells; null: there is no sound. */
export type WavReply = { id: number; wav: ArrayBuffer | null }
