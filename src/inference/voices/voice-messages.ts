import type { EndRequest } from '../engine-thread.ts'

/** Where a voice's files are, and espeak-ng's name of its language. */
export type VoiceSource =
  | { engine: 'kokoro'; dir: string; voice: string; espeakVoice: string }
  | { engine: 'piper'; model: string; speaker: number | null; espeakVoice: string | null }

/** What the thread of the voices is told. It answers in order, one reply to each request with an id. */
export type VoiceRequest =
  | EndRequest
  /** First of all. `threads` work on one phrase; `espeak` is the program's path, null where there is none. */
  | { type: 'begin'; dataDir: string; threads: number; espeak: string | null }
  /** One phrase of spoken text. */
  | { type: 'speak'; id: number; source: VoiceSource; text: string; rateHz: number }

/** Sound in shared memory, null when the text has none, or why it failed. */
export type VoiceReply =
  | { id: number; clip: Int16Array<SharedArrayBuffer> | null }
  | { id: number; failed: string }
