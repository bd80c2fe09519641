/** Turns that people take on the phone: what was asked, what they say, and where in it they pause. By a seed. */
import { randomSource } from '../test/kit/seeded.ts'

/** What is said without a pause; `whole`: a sentence ends with it. */
export interface Piece {
  /** As a good recogniser writes it. */
  text: string
  /** As it is spoken. */
  spoken: string
  whole: boolean
  /** Silence after it, ms; 0 after the last. */
  pauseMs: number
}

export type TurnKind = 'sentence' | 'answer' | 'dictation'

export interface TurnText {
  kind: TurnKind
  /** What the agent said before. */
  asked: string
  pieces: Piece[]
}

export type Random = () => number

const PAUSE_MS = { least: 150, most: 900 } as const
/** So many turns are of two sentences with a pause between them: nothing in the text tells that more follows. */
const TWO_SENTENCES = 0.1
/** So many of the turns that are long enough for it have pauses. */
const TORN = 0.8
const ANSWERED = 0.15
const DICTATED = 0.2

const OPENERS = [
  'What can I do for you?',
  'When would be a good time?',
  'How does it work on your side?',
  'Could you tell me more about it?',
]
const SENTENCES = [
  'I would like to order a large pepperoni pizza, please.',
  'We are open from nine to five, but not on Sundays.',
  'Can you tell me who is calling?',
  'The reservation is under the name of Miller.',
  'It depends on how many people are coming.',
  'Well, I think we could do it on Thursday afternoon.',
  'I am not sure whether he is in today.',
  'Could you call back in the afternoon?',
  'She said that she would be a little late.',
  'There is a table for two near the window.',
  'The delivery takes about forty minutes.',
  'What was the name again?',
  'I have to look that up in our system.',
  'You can park behind the building next to the bakery.',
  'That costs twenty dollars and fifty cents.',
  'We do not take reservations for today.',
  'My colleague will help you with that.',
  'I can offer you a room with a view of the lake.',
  'Please tell me what time you would like to come.',
  'The doctor has an opening on Tuesday morning at ten.',
  'If you come before noon, there should be no problem.',
  'I spoke with somebody from your company last week about the broken heater.',
  'It was delivered yesterday, but the box was empty.',
  'Do you want it with or without onions?',
  'How many people will be in your party?',
  'My daughter has a fever since this morning, and she will not eat.',
  'We moved the meeting because half of the team is sick.',
  'He will be back in the office after the holidays.',
  'The part that you ordered has not arrived yet.',
  'You would have to bring your passport and a recent photo.',
  'I need the invoice for the last two months.',
  'Is there any way to get the money back?',
  'The apartment is on the third floor, and there is no elevator.',
  'Somebody should be there to let the technician in.',
  'I was wondering whether you still have the blue one in stock.',
  'We can only keep the table for fifteen minutes.',
]
const YES_NO = ['Does seven work for you?', 'Is this still a good time?', 'Shall I book it then?']
const ANSWERS = [
  'Yes.',
  'No.',
  'Yes, please.',
  'No, thank you.',
  'Sure.',
  'Yeah, that works for me.',
  'Yes, that is fine with us.',
  'No, I am afraid not.',
  'Okay, thanks.',
  'Of course.',
  'Yes, but not before eight.',
  'No, we are closed on that day.',
]
const NUMBER = 'May I have your phone number, please?'
const CODE = 'What is your confirmation code?'
const NAME = 'How do you spell your last name?'
const STREET = 'What is the delivery address?'
const EMAIL = 'And what is your e-mail address?'
const NAMES = ['Smith', 'Baker', 'Novak', 'Weber', 'Quinn', 'Ortega']
const STREETS = ['Main Street', 'Maple Avenue', 'Park Road', 'Church Street']
const TOWNS = ['Springfield', 'Riverside', 'Portland', 'Georgetown']
const MAILS = ['example dot com', 'mail dot example dot org']

/** `count` turns, the same for the same seed. */
export function turnTexts(seed: number, count: number): TurnText[] {
  const random = randomSource(seed)
  return Array.from({ length: count }, () => turnText(random))
}

function turnText(random: Random): TurnText {
  const share = random()
  if (share < DICTATED) return dictation(random)
  const kind = share < DICTATED + ANSWERED ? 'answer' : 'sentence'
  const asked = oneOf(kind === 'answer' ? YES_NO : OPENERS, random)
  const first = torn(oneOf(kind === 'answer' ? ANSWERS : SENTENCES, random), random)
  if (random() >= TWO_SENTENCES) return { kind, asked, pieces: first }
  const last = first.at(-1)
  if (last) last.pauseMs = pause(random)
  return { kind, asked, pieces: [...first, ...torn(oneOf(SENTENCES, random), random)] }
}

/** A sentence with up to three pauses between its words. */
function torn(sentence: string, random: Random): Piece[] {
  const words = sentence.split(' ')
  const most = random() < TORN ? Math.min(3, Math.floor(words.length / 2)) : 0
  const cuts = new Set<number>()
  for (let i = 1 + Math.floor(random() * most); most > 0 && i > 0; i--)
    cuts.add(1 + Math.floor(random() * (words.length - 1)))
  const groups: string[] = []
  for (const [i, word] of words.entries())
    if (i === 0 || cuts.has(i)) groups.push(word)
    else groups.push(`${groups.pop()} ${word}`)
  return pieces(groups, random)
}

/** A number, a code, a name, an address or an e-mail address, told group by group. */
function dictation(random: Random): TurnText {
  const digits = (n: number): string =>
    Array.from({ length: n }, () => Math.floor(random() * 10)).join('')
  const told: (() => [string, string[]])[] = [
    () => [NUMBER, [digits(3), digits(3), `${digits(4)}.`]],
    () => [
      NUMBER,
      ['Sure.', `It is ${digits(3)},`, `${digits(3)},`, `${digits(2)}`, `${digits(2)}.`],
    ],
    () => [CODE, [`It's ${digits(2)}`, digits(2), `${digits(2)}.`]],
    () => [NAME, spelt(oneOf(NAMES, random))],
    () => [
      STREET,
      [
        `It is ${1 + Math.floor(random() * 98)}`,
        `${oneOf(STREETS, random)},`,
        `${oneOf(TOWNS, random)}.`,
      ],
    ],
    () => [EMAIL, [oneOf(NAMES, random), 'at', `${oneOf(MAILS, random)}.`]],
  ]
  const [asked, groups] = oneOf(told, random)()
  return { kind: 'dictation', asked, pieces: pieces(groups, random) }
}

/** "S, m," "i," "t, h." */
function spelt(name: string): string[] {
  const groups: string[] = []
  for (let i = 0; i < name.length; i += 2) groups.push([...name.slice(i, i + 2)].join(', '))
  return groups.map((group, i) => `${group}${i === groups.length - 1 ? '.' : ','}`)
}

function pieces(groups: readonly string[], random: Random): Piece[] {
  return groups.map((text, i) => ({
    text,
    spoken: spokenForm(text),
    whole: /[.?!]$/.test(text),
    pauseMs: i === groups.length - 1 ? 0 : pause(random),
  }))
}

/** Long numbers, and those that end a piece, digit by digit. */
export function spokenForm(text: string): string {
  return text.replace(/\d{3,}|(?<=\s|^)\d\d(?=\.?$)/g, (run) => [...run].join(' '))
}

/** A pause's length in ms. */
export function pause(random: Random): number {
  return PAUSE_MS.least + Math.floor(random() * (PAUSE_MS.most - PAUSE_MS.least))
}

function oneOf<T>(items: readonly T[], random: Random): T {
  const item = items[Math.floor(random() * items.length)]
  if (item === undefined) throw new Error('nothing to choose from')
  return item
}
