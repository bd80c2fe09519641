/** The thread that reads utterances from the ring and makes WAV files of them, so that no sound crosses the main one. */
import { utteranceSound } from '../utterance-sound.ts'
import { toWav } from './wav.ts'
import type { WavReply, WavRequest } from './wav-messages.ts'

/** What Whisper and its relatives are trained on. */
const RATE_HZ = 16_000

declare const self: Worker

function make(request: Extract<WavRequest, { type: 'make' }>): ArrayBuffer | null {
  const samples = utteranceSound({ ...request, rateHz: RATE_HZ })
  return samples.length === 0 ? null : toWav(samples, RATE_HZ).buffer
}

self.onmessage = ({ data: request }: MessageEvent<WavRequest>) => {
  if (request.type === 'end') process.exit(0)
  const wav = make(request)
  self.postMessage({ id: request.id, wav } satisfies WavReply, wav === null ? [] : [wav])
}
