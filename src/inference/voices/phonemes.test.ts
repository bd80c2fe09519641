import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { fliteProgram } from '../flite/flite-program.ts'
import { toClauses } from './clauses.ts'
import { espeakPhonemes, findEspeak } from './espeak.ts'
import { toKokoroPhones } from './kokoro-phones.ts'
import { createPhonemizer } from './phonemes.ts'

const made: string[] = []
afterEach(() => {
  for (const dir of made.splice(0)) rmSync(dir, { recursive: true, force: true })
})

/** A program in the place of espeak-ng. */
function fakeEspeak(script: string): string {
  const dir = mkdtempSync(join(tmpdir(), 'landline-espeak-'))
  made.push(dir)
  const path = join(dir, 'espeak-ng')
  writeFileSync(path, `#!/bin/sh\n${script}\n`)
  chmodSync(path, 0o755)
  return path
}

describe('clauses', () => {
  it('end at marks between words, not inside them', () => {
    expect(toClauses("Well, it's 1,200 of 3.5; you see? Yes")).toEqual([
      { words: 'Well', mark: ',' },
      { words: "it's 1,200 of 3.5", mark: ';' },
      { words: 'you see', mark: '?' },
      { words: 'Yes', mark: '' },
    ])
    expect(toClauses('... ,')).toEqual([])
  })
})

describe('phonemes by espeak-ng', () => {
  const speak = (program: string, text: string) =>
    espeakPhonemes(program, { text, voice: 'en-us', tie: '^' })

  it('come with the marks between clauses, and without the names of other languages', () => {
    const program = fakeEspeak('sed "s/.*/(fr)<&>(en)/"')
    expect(speak(program, 'Well, yes! Now')).toBe('<Well>, <yes>! <Now>')
  })

  it('are asked for by options and the standard input, never by a shell', () => {
    const program = fakeEspeak('echo "$@"; cat >/dev/null')
    expect(speak(program, '--help $(id) `id`')).toBe('-q --ipa --tie=^ -v en-us')
  })

  it('are asked for clause by clause when the answers do not fit', () => {
    const program = fakeEspeak('while read -r line; do echo "$line"; echo more; done')
    expect(speak(program, 'Well, yes.')).toBe('Well more, yes more.')
  })

  it('fail in one sentence', () => {
    const program = fakeEspeak('echo "no such voice" >&2; exit 1')
    expect(() => speak(program, 'Hi.')).toThrow(
      'espeak-ng failed for the language en-us: no such voice',
    )
    expect(() => speak('/nowhere/espeak-ng', 'Hi.')).toThrow(/^espeak-ng could not be started: /)
  })

  it('are looked for along the path', () => {
    const program = fakeEspeak('exit 0')
    expect(findEspeak(join(program, '..'))).toBe(program)
    expect(findEspeak('/nowhere')).toBeNull()
  })

  it.skipIf(findEspeak() === null)('are right by the real one', () => {
    const program = findEspeak() ?? ''
    expect(speak(program, 'Hello, my judge.')).toBe('həlˈo^ʊ, ma^ɪ d^ʒˈʌd^ʒ.')
    expect(espeakPhonemes(program, { text: 'Guten Tag', voice: 'de' })).toBe('ɡˈuːtən tˈɑːk')
  })
})

describe('phonemes without espeak-ng', () => {
  const setup = async () => createPhonemizer({ espeak: null, flite: await fliteProgram() })

  it("are Flite's for English: words apart, stressed, with the marks", async () => {
    const phonemizer = await setup()
    const say = (text: string) => phonemizer.toPhonemes(text, { espeakVoice: 'en-us' })
    expect(say('Hello, the judge has a banana.')).toBe('həlˈoʊ, ðə dʒˈʌdʒ hæz ə bənˈænə.')
    expect(say('In 2026, 25 of them!')).toBe('ɪn twˈɛntiː twˈɛntiː sˈɪks, twˈɛntiː fˈaɪv əv ðɛm!')
  })

  it('join the parts of one sound where that is asked for', async () => {
    const phonemizer = await setup()
    const tied = phonemizer.toPhonemes('Cheap joy now', { espeakVoice: 'en-us', tie: '^' })
    expect(tied).toBe('t^ʃˈiːp d^ʒˈɔ^ɪ nˈa^ʊ')
  })

  it('are none for other languages: what to install is told', async () => {
    const phonemizer = await setup()
    expect(() => phonemizer.toPhonemes('Hallo', { espeakVoice: 'de' })).toThrow(
      'the language de needs espeak-ng, which is not installed: apt-get install espeak-ng',
    )
  })
})

describe("Kokoro's letters", () => {
  it.each([
    ['en-us', 'həlˈo^ʊ, ma^ɪ d^ʒˈʌd^ʒ', 'həlˈO, mI ʤˈʌʤ'],
    ['en-us', 't^ʃˈe^ɪnd^ʒ θˈɜːɾi lˈɑː^ɹd^ʒ pˈiːpə^l', 'ʧˈAnʤ θˈɜɹTi lˈɑɹʤ pˈipᵊl'],
    ['en-gb', 'ɡˈə^ʊ ðˈe^ə bˈɜːd', 'ɡˈQ ðˈɛː bˈɜːd'],
    ['fr-fr', 'bɔ̃ʒˈuʁ', 'bɔ̃ʒˈuʁ'],
    ['it', 't^ʃˈaːo', 'ʧˈaːo'],
  ])('of %s: %s', (espeakVoice, ipa, phones) => {
    expect(toKokoroPhones(ipa, espeakVoice)).toBe(phones.normalize('NFC'))
  })
})
