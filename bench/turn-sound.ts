/** Turns as they sound: Flite speaks each piece, the pauses are a line's noise, and it goes through a telephone. */
import { TELEPHONE_RATE_HZ, toSamples } from '../src/core/pcm.ts'
import { fliteProgram } from '../src/inference/flite/flite-program.ts'
import { FLITE_VOICES, synthesise } from '../src/inference/flite/synthesis.ts'
import { byTelephone } from '../test/kit/speech.ts'
import { trimmed } from './speech.ts'
import type { Random, TurnText } from './turn-texts.ts'

/** Where one piece is in the sound, in samples. */
export interface Stretch {
  text: string
  whole: boolean
  from: number
  to: number
}

export interface TurnSound {
  samples: Int16Array
  stretches: Stretch[]
}

/** The noise of a line, in steps of 16 bits. */
const NOISE = 6
const TAIL_MS = 3_000

/** Speaks turns, each in one of Flite's voices; what was spoken before in the same voice is not made again. */
export async function createSpeaker(): Promise<(turn: TurnText, random: Random) => TurnSound> {
  const flite = await fliteProgram()
  const known = new Map<string, Int16Array>()

  function speak(text: string, voice: (typeof FLITE_VOICES)[number]): Int16Array {
    const key = `${voice} ${text}`
    const sound = known.get(key) ?? synthesise(flite, { text, voice, rateHz: TELEPHONE_RATE_HZ })
    if (!sound) throw new Error(`"${text}" has no sound`)
    known.set(key, sound)
    return trimmed(sound)
  }

  return (turn, random) => {
    const voice = FLITE_VOICES[Math.floor(random() * FLITE_VOICES.length)] ?? 'slt'
    const stretches: Stretch[] = []
    const clips = turn.pieces.map(({ spoken }) => speak(spoken, voice))
    let at = 0
    for (const [i, { text, whole, pauseMs }] of turn.pieces.entries()) {
      const to = at + (clips[i]?.length ?? 0)
      stretches.push({ text, whole, from: at, to })
      at = to + toSamples(pauseMs, TELEPHONE_RATE_HZ)
    }
    const samples = Int16Array.from(
      { length: at + toSamples(TAIL_MS, TELEPHONE_RATE_HZ) },
      () => (random() - 0.5) * 2 * NOISE,
    )
    for (const [i, { from }] of stretches.entries()) samples.set(clips[i] ?? [], from)
    return { samples: byTelephone(samples), stretches }
  }
}

/** The words of `stretches` that were heard in [from, to): each lasts by its letters, and most of it is enough. */
export function wordsWithin(stretches: readonly Stretch[], from: number, to: number): string {
  return stretches
    .flatMap(wordsOf)
    .filter((word) => word.to > from && word.from + MOST * (word.to - word.from) <= to)
    .map(({ word }) => word)
    .join(' ')
}

/** The last sound of a word may be too weak for the detector, and the word is recognised all the same. */
const MOST = 2 / 3
/** A digit is a word of about so many letters. */
const DIGIT_LETTERS = 4

function wordsOf({ text, from, to }: Stretch): { word: string; from: number; to: number }[] {
  const words = text.split(' ')
  const weights = words.map((word) => 1 + word.replace(/\d/g, 'x'.repeat(DIGIT_LETTERS)).length)
  const all = weights.reduce((sum, weight) => sum + weight, 0)
  let at = from
  return words.map((word, i) => {
    const begin = at
    at += ((to - from) * (weights[i] ?? 0)) / all
    return { word, from: begin, to: at }
  })
}
