/** Phonemes of English by Flite's dictionary and letter rules, where the system has no espeak-ng. */
import { runWasi } from '../flite/wasi.ts'
import { joinClauses, toClauses } from './clauses.ts'

/** Flite's names of American English sounds (those of the CMU dictionary), and their IPA. */
const IPA: Readonly<Record<string, string>> = {
  aa: 'ɑː',
  ae: 'æ',
  ah: 'ʌ',
  ao: 'ɔː',
  aw: 'aʊ',
  ax: 'ə',
  axr: 'ɚ',
  ay: 'aɪ',
  b: 'b',
  ch: 'tʃ',
  d: 'd',
  dh: 'ð',
  dx: 'ɾ',
  eh: 'ɛ',
  el: 'əl',
  em: 'əm',
  en: 'ən',
  er: 'ɜː',
  ey: 'eɪ',
  f: 'f',
  g: 'ɡ',
  hh: 'h',
  hv: 'h',
  ih: 'ɪ',
  ix: 'ɪ',
  iy: 'iː',
  jh: 'dʒ',
  k: 'k',
  l: 'l',
  m: 'm',
  n: 'n',
  ng: 'ŋ',
  nx: 'n',
  ow: 'oʊ',
  oy: 'ɔɪ',
  p: 'p',
  r: 'ɹ',
  s: 's',
  sh: 'ʃ',
  t: 't',
  th: 'θ',
  uh: 'ʊ',
  uw: 'uː',
  v: 'v',
  w: 'w',
  y: 'j',
  z: 'z',
  zh: 'ʒ',
}
const VOWELS = new Set('aa ae ah ao aw ay eh er ey ih iy ow oy uh uw'.split(' '))
/** Vowels that English hears unstressed before others. */
const WEAK = new Set(['ih', 'er', 'iy'])
/** Said without stress inside a sentence. */
const UNSTRESSED = new Set(
  `a an and are as at be but by can could do for from had has have he her him his i if in is it its me my of on or our
  she should so than that the their them then there these they this to us was we were will with would you your`.split(
    /\s+/,
  ),
)
/** Flite says "ay" for the letter where people say the article. */
const ARTICLES: Readonly<Record<string, readonly string[]>> = { a: ['ax'], the: ['dh', 'ax'] }
const PAUSE = 'pau'
/** A small voice, and one that keeps all vowels apart (`kal` does not): only its phones are wanted. */
const VOICE = 'kal16'

/** The phonemes of spoken English text in IPA, words apart, with the marks between clauses. Throws when Flite fails. */
export function flitePhonemes(program: WebAssembly.Module, text: string): string {
  const clauses = toClauses(text)
  return joinClauses(
    clauses,
    clauses.map(({ words }) => wordsToIpa(program, words)),
  )
}

function wordsToIpa(program: WebAssembly.Module, text: string): string {
  // Numbers are several words each: which, Flite tells.
  const written = /\d/.test(text) ? runFlite(program, '-pw', plain(text)) : text
  const words = written.split(/\s+/).filter((word) => /[a-z0-9]/i.test(word))
  const spoken = phonesOf(program, words)
  // A word that it reads as several: then no word is known by its place.
  const known = spoken.length === words.length
  return spoken
    .map((phones, i) => {
      const word = known ? (words[i] ?? '').toLowerCase() : ''
      return toIpa(ARTICLES[word] ?? phones, !UNSTRESSED.has(word))
    })
    .join(' ')
}

/** Flite tells phones without their words: a comma behind each word makes a pause where it ends. */
function phonesOf(program: WebAssembly.Module, words: readonly string[]): string[][] {
  if (words.length === 0) return []
  const spoken: string[][] = [[]]
  const phones = runFlite(program, '-ps', words.map(plain).join(', '))
  for (const phone of phones.split(/\s+/))
    if (phone === PAUSE) spoken.push([])
    else spoken.at(-1)?.push(phone)
  return spoken.filter((phones) => phones.length > 0)
}

/** What Flite prints of a text: its words (`-pw`) or its phones (`-ps`). */
function runFlite(program: WebAssembly.Module, print: '-pw' | '-ps', text: string): string {
  // A text with a space is never taken for a file's name.
  const args = ['flite', '-voice', VOICE, print, '-t', `${text} `, '-o', 'none']
  const result = runWasi(program, args)
  if (result.exitCode !== 0)
    throw new Error(`Flite exited with ${result.exitCode}: ${result.stderr.slice(0, 200).trim()}`)
  return result.stdout.trim()
}

function plain(text: string): string {
  return text.replace(/[^A-Za-z0-9.,' -]/g, '')
}

/** Flite does not tell the stress of a word: the first full vowel has it, as most often in English. */
function toIpa(phones: readonly string[], stressed: boolean): string {
  const vowels = phones.flatMap((phone, i) => (VOWELS.has(phone) ? [i] : []))
  const full = vowels.find((i) => !WEAK.has(phones[i] ?? ''))
  const stress = stressed ? (full ?? vowels[0]) : undefined
  return phones
    .map((phone, i) => {
      const sound = !stressed && phone === 'ah' ? 'ax' : phone
      return `${i === stress ? 'ˈ' : ''}${IPA[sound] ?? ''}`
    })
    .join('')
}
