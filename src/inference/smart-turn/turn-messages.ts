import type { EndRequest } from '../engine-thread.ts'

/** What Smart Turn's thread is told. It answers in order, one reply to each request with an id. */
export type TurnRequest =
  | EndRequest
  /** First of all. */
  | { type: 'begin'; dataDir: string }
  | { type: 'judge'; id: number; ears: SharedArrayBuffer; from: number; to: number }
  /** Load the model, again where that failed before. */
  | { type: 'probe'; id: number }

/** What it tells; a probe's chance means nothing. `file`: the name of the model's file. */
export type TurnReply =
  | { id: number; chance: number; file: string }
  | { id: number; failed: string }
