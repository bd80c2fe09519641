import type { Recognition } from '../../conversation/ports.ts'
import { MelMemory } from './mel.ts'

/** A loaded speech-to-text model. */
export interface SpeechModel {
  /** Text of 16-bit samples at 16 kHz, of any length. Throws AbortError when `isAborted` says so between steps. */
  recognise(samples: Int16Array, o: HearOptions): Heard
  release(): void
}

export interface HearOptions {
  /** BCP 47; the model's own guess, or its only language, where it is left out. */
  language?: string | undefined
  /** Text that goes before, in words that are to be expected. Models without a place for it pass it over. */
  prompt?: string | undefined
  isAborted: () => boolean
  /** Of the same sound as far as it was there before; changes nothing but the time it takes. */
  memory?: SoundMemory
}

export interface Heard extends Recognition {
  /** Why the sound was not heard in the language that was asked for, in words. */
  fallback: string | null
}

/** What recognising the beginning of an utterance leaves for the rest of it. */
export class SoundMemory {
  readonly mel = new MelMemory()
  /** Tokens last written, by window. */
  readonly drafts: number[][] = []
  /** The language that the model guessed. */
  guess: string | undefined
}

/** More text than anybody says in one utterance. */
const MOST_TEXT = 8000

/** What the windows of a sound came to, as one. */
export function joinWindows(parts: readonly Recognition[]): Recognition {
  const text = parts.map((part) => part.text).filter((part) => part !== '')
  const sure = parts.flatMap(({ logProbability }) => logProbability ?? [])
  return {
    text: text.join(' ').slice(0, MOST_TEXT),
    noSpeech: Math.min(...parts.map((part) => part.noSpeech)),
    ...(sure.length > 0 && { logProbability: Math.min(...sure) }),
  }
}
