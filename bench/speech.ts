/** What the callee says: recorded and synthesised speech, cut so that its last sample is the end of the speech. */
import { join } from 'node:path'
import { jfk, readSpeech } from '../test/kit/speech.ts'

const testset = join(import.meta.dirname, '../test/fixtures/demo-asr/testset')
/** What is not this loud (40 dB under full scale) at the end of a recording is its room. */
const LOUD = 328
const FRAME_SAMPLES = 160
const RATE_HZ = 8000

export function utterances(): Int16Array[] {
  const sentences = ['held-004-en-us.wav', 'held-009-rms.wav', 'free-023-slt.wav', 'free-009-kal.wav']
  const recorded = jfk()
  return [
    // "And so my fellow Americans", as it was recorded.
    upToTheEnd(recorded.subarray(Math.round(0.3 * RATE_HZ), Math.round(2.2 * RATE_HZ))),
    ...sentences.map((file) => upToTheEnd(readSpeech(join(testset, file)))),
  ]
}

/** From whole frames before the last loud sample to that sample. */
function upToTheEnd(samples: Int16Array): Int16Array {
  const end = samples.findLastIndex((sample) => Math.abs(sample) >= LOUD) + 1
  return samples.slice(end % FRAME_SAMPLES, end)
}
