/** Endpointing by text: how long a silence has to be before what was said counts as a turn. */

export type Completeness = 'question' | 'complete' | 'unknown' | 'incomplete'

/** Silence, in ms from the end of speech, after which a turn is committed. */
export const COMMIT_SILENCE_MS: Record<Completeness, number> = {
  question: 300,
  // Recognisers end every piece with a full stop: a pause within a turn is often as long as 450 ms.
  complete: 500,
  unknown: 700,
  incomplete: 1000,
}

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '))

/** Nobody ends a turn on these: something follows. */
const LEADING_ON = words(
  'and or but so because if when while that which who than then as to of for from with without at in on by into about ' +
    'the a an my your his her our their its is are was were will would could should can i we they this these those ' +
    'um uh uhm er erm hmm hm eh maybe',
)
const NUMBERS = words(
  'zero oh one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen ' +
    'seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand double triple',
)
/** Whole answers, also where the recogniser writes no full stop. */
const ANSWERS = words(
  'yes yeah yep yup no nope okay ok sure right correct exactly hello hi hey bye goodbye thanks alright fine great perfect',
)
const CLOSINGS =
  /\b(thank you|thanks|you're welcome|good ?bye|bye ?bye|that's (it|all)|of course|no problem|how can i help( you)?)$/
const QUESTIONS = words('what who where when why how which can could would will do does did is are')

/** Whether `text` reads like a finished turn; null when there is no text yet. */
export function completeness(text: string | null): Completeness {
  const said = text?.trim().toLowerCase() ?? ''
  if (said === '') return 'unknown'
  if (/(,|:|;|-|–|—|\.\.\.|…)$/.test(said)) return 'incomplete'
  if (/[?]["')]*$/.test(said)) return 'question'
  const bare = said.replace(/[^\p{L}\p{N}' ]+/gu, ' ').trim()
  const list = bare.split(/\s+/)
  const last = list.at(-1) ?? ''
  if (CLOSINGS.test(bare)) return 'complete'
  if (/\bi('d| would| feel)? like$/.test(bare)) return 'incomplete'
  if (LEADING_ON.has(last) || NUMBERS.has(last) || /\d$/.test(last)) return 'incomplete'
  // A single letter is somebody spelling.
  if (/^\p{L}$/u.test(last)) return 'incomplete'
  if (/[.!]["')]*$/.test(said)) return 'complete'
  if (list.length <= 2 && ANSWERS.has(last)) return 'complete'
  return list.length >= 4 && QUESTIONS.has(list[0] ?? '') ? 'complete' : 'unknown'
}

/** Silence in ms after which a turn with this text (null: not recognised yet) is over. */
export function commitSilenceMs(text: string | null): number {
  return COMMIT_SILENCE_MS[completeness(text)]
}
