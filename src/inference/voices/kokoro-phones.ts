/** Kokoro's own alphabet: IPA with one letter for each diphthong and affricate (its G2P, Misaki, names them). */

/** What is between the parts of one sound in the IPA that is turned into Kokoro's. */
export const TIE = '^'

const EVERYWHERE: readonly [RegExp, string][] = [
  [/a\^ɪ/g, 'I'],
  [/a\^ʊ/g, 'W'],
  [/e\^ɪ/g, 'A'],
  [/ɔ\^ɪ/g, 'Y'],
  [/o\^ʊ/g, 'O'],
  [/ə\^ʊ/g, 'Q'],
  [/d\^?ʒ/g, 'ʤ'],
  [/t\^?ʃ/g, 'ʧ'],
  [/d\^z/g, 'ʣ'],
  [/t\^s/g, 'ʦ'],
  [/t\^ɕ/g, 'ʨ'],
]
const ENGLISH: readonly [RegExp, string][] = [
  [/ə\^l/g, 'ᵊl'],
  [/([nml])\u0329/g, 'ᵊ$1'],
  [/ɐ/g, 'ə'],
  [/ɚ/g, 'əɹ'],
  [/r/g, 'ɹ'],
  [/x/g, 'k'],
  [/ɬ/g, 'l'],
  [/ʔ/g, 't'],
  [/ʲ/g, ''],
]
const AMERICAN: readonly [RegExp, string][] = [
  [/oː(?=\^?ɹ)/g, 'ɔ'],
  [/ɜː(?!\^?ɹ)/g, 'ɜɹ'],
  [/ɾ/g, 'T'],
  [/ː/g, ''],
]
const BRITISH: readonly [RegExp, string][] = [
  [/e\^ə/g, 'ɛː'],
  [/i\^?ə/g, 'ɪə'],
]

/** Phonemes of the language `espeakVoice` (in IPA with ties) in Kokoro's alphabet; ties are gone. */
export function toKokoroPhones(ipa: string, espeakVoice: string): string {
  const rules = espeakVoice.startsWith('en')
    ? [...EVERYWHERE, ...ENGLISH, ...(espeakVoice === 'en-gb' ? BRITISH : AMERICAN)]
    : EVERYWHERE
  let phones = ipa.normalize('NFC')
  for (const [from, to] of rules) phones = phones.replace(from, to)
  return phones.replaceAll(TIE, '').replace(/-/g, '')
}
