/** From spoken text to phonemes, by what the system has. */
import { primaryLanguage } from '../../calls/voice-choice.ts'
import { espeakPhonemes } from './espeak.ts'
import { flitePhonemes } from './flite-phones.ts'

export interface Phonemizer {
  /** IPA, words apart, marks between clauses. `tie`: put between the parts of one sound. Throws an Error. */
  toPhonemes(text: string, o: { espeakVoice: string; tie?: string }): string
  /** How errors and probes call it. */
  readonly name: string
}

/** `espeak`: the program's path, null where there is none: then English alone can be spoken, by Flite's phones. */
export function createPhonemizer(o: {
  espeak: string | null
  flite: WebAssembly.Module
}): Phonemizer {
  const { espeak, flite } = o
  if (espeak !== null)
    return {
      name: 'espeak-ng',
      toPhonemes: (text, { espeakVoice, tie }) =>
        espeakPhonemes(espeak, { text, voice: espeakVoice, ...(tie === undefined ? {} : { tie }) }),
    }
  return {
    name: "Flite's dictionary",
    toPhonemes(text, { espeakVoice, tie }) {
      if (primaryLanguage(espeakVoice) !== 'en')
        throw new Error(
          `the language ${espeakVoice} needs espeak-ng, which is not installed: apt-get install espeak-ng`,
        )
      const ipa = flitePhonemes(flite, text)
      return tie === undefined ? ipa : withTies(ipa, tie)
    },
  }
}

function withTies(ipa: string, tie: string): string {
  return ipa.replace(/(?<=[aeoɔ])(?=[ɪʊ])|(?<=t)(?=ʃ)|(?<=d)(?=ʒ)/g, tie)
}
