import type { Recognition } from '../../conversation/ports.ts'
import type { EndRequest } from '../engine-thread.ts'
import type { Device, WantedDevice } from '../onnx/device.ts'

/** What the speech-to-text thread is told. It answers in order, one reply to each request with an id. */
export type SttRequest =
  | EndRequest
  /** First of all. `threads` work on one recognition. */
  | { type: 'begin'; dataDir: string; threads: number; device: WantedDevice }
  | {
      type: 'recognise'
      id: number
      /** A directory; null is the demo model. */
      model: string | null
      ears: SharedArrayBuffer
      /** The same for all requests about the same ears. */
      ring: number
      from: number
      to: number
      language: string | undefined
      prompt: string | undefined
      /** One 32-bit integer: not 0 when nobody waits for the answer any more. */
      aborted: SharedArrayBuffer
    }
  /** Load the model and run it once. */
  | { type: 'probe'; id: number; model: string | null }

/** What it tells. A probe's text is empty. */
export type SttReply =
  | ({ id: number; fallback: string | null; device: Device } & Recognition)
  | { id: number; gaveUp: true }
  | { id: number; failed: string }
