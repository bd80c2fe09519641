/** What the callee says: recorded and synthesised speech, cut so that it begins and ends with the speech. */
import { join } from 'node:path'
import { jfk, readSpeech } from '../test/kit/speech.ts'

const testset = join(import.meta.dirname, '../test/fixtures/demo-asr/testset')
/** What is not this loud (40 dB under full scale) before and after speech is its room. */
const LOUD = 328
const FRAME_SAMPLES = 160
const RATE_HZ = 8000

export function utterances(): Int16Array[] {
  const sentences = [
    'held-004-en-us.wav',
    'held-009-rms.wav',
    'free-023-slt.wav',
    'free-009-kal.wav',
  ]
  const recorded = jfk()
  return [
    // "And so my fellow Americans", as it was recorded.
    trimmed(recorded.subarray(Math.round(0.3 * RATE_HZ), Math.round(2.2 * RATE_HZ))),
    ...sentences.map((file) => trimmed(readSpeech(join(testset, file)))),
  ]
}

/** From the first loud sample to the last, and as much of what lies before as makes the frames whole. */
export function trimmed(samples: Int16Array): Int16Array {
  const isLoud = (sample: number): boolean => Math.abs(sample) >= LOUD
  const end = samples.findLastIndex(isLoud) + 1
  const length = Math.ceil((end - samples.findIndex(isLoud)) / FRAME_SAMPLES) * FRAME_SAMPLES
  const whole = new Int16Array(length)
  whole.set(samples.subarray(Math.max(0, end - length), end), Math.max(0, length - end))
  return whole
}
