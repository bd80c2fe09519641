import type { Tensor } from 'onnxruntime-common'
import { abortError } from '../../core/abort.ts'
import type { DecoderShape, Passes } from './decoder-passes.ts'
import { type Bans, lengthBeforeLoop, likeliest, probabilityOf } from './token-rules.ts'

export interface Decoded {
  tokens: number[]
  /** The probability that there is no speech; 0 where the model has no token for it. */
  noSpeech: number
  /** Mean over the tokens written, the end included. */
  meanLogProbability: number
}

export interface DecodeRequest {
  prompt: readonly number[]
  /** Where in the prompt the model says whether there is speech. */
  startAt: number
  mostTokens: number
  /** What the answer probably begins with: checked in the first pass, so that only the rest is written token by token. */
  draft?: readonly number[]
  /** Asked before each pass. */
  isAborted: () => boolean
}

export interface Decoder {
  /** Writes tokens after the prompt, the likeliest each time; a draft changes nothing about them. Throws AbortError. */
  decode(hidden: Tensor, o: DecodeRequest): Decoded
  /** The likeliest of `candidates` to follow `prompt`. */
  choose(hidden: Tensor, prompt: readonly number[], candidates: readonly number[]): number
}

/** Greedy decoding through the key/value cache. */
export function createDecoder(o: {
  open: (hidden: Tensor) => Passes
  shape: DecoderShape
  end: number
  noSpeech: number | undefined
  bans: Bans
}): Decoder {
  const { open, shape, end, noSpeech, bans } = o
  const row = (logits: Float32Array, at: number): Float32Array =>
    logits.subarray(at * shape.vocabularySize, (at + 1) * shape.vocabularySize)

  return {
    decode(hidden, { prompt, startAt, mostTokens, draft = [], isAborted }) {
      const passes = open(hidden)
      const most = Math.min(mostTokens, shape.positions - prompt.length)
      const drafted = draft.slice(0, Math.max(0, most - 1))
      const run = (tokens: readonly number[]): Float32Array => {
        if (isAborted()) throw abortError()
        return passes.run(tokens)
      }
      const tokens: number[] = []
      let sum = 0
      let logits = run([...prompt, ...drafted])
      let at = prompt.length - 1
      let isDraft = true
      const silence = noSpeech === undefined ? 0 : probabilityOf(noSpeech, row(logits, startAt))
      for (;;) {
        const next = likeliest(row(logits, at), tokens.length === 0 ? bans.first : bans.later)
        sum += next.logProbability
        if (next.token === end || next.token < 0) break
        tokens.push(next.token)
        const loop = lengthBeforeLoop(tokens)
        if (loop !== undefined) tokens.length = loop
        if (loop !== undefined || tokens.length >= most) break
        isDraft = isDraft && drafted[tokens.length - 1] === next.token
        if (isDraft) at++
        else {
          passes.cut(prompt.length + tokens.length - 1)
          logits = run([next.token])
          at = 0
        }
      }
      return { tokens, noSpeech: silence, meanLogProbability: sum / (tokens.length + 1) }
    },
    choose(hidden, prompt, candidates) {
      const logits = row(open(hidden).run(prompt), prompt.length - 1)
      return candidates.reduce((best, each) =>
        (logits[each] as number) > (logits[best] as number) ? each : best,
      )
    },
  }
}
