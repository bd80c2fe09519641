/** What the callee does, step by step, read from a dialogue file. */
export type Step =
  /** Says a line and waits until it was said. */
  | { step: 'say'; text: string }
  /** Begins a line, and goes on while it sounds. */
  | { step: 'begin'; text: string }
  /** A breath in the middle of what it says: its turn is not over. */
  | { step: 'pause'; ms: number }
  /** It is its turn, and it thinks before it speaks. */
  | { step: 'think'; ms: number }
  /** Says a line into the other side's words, once these have lasted `afterMs`: to stop it, or as a sign of listening. */
  | { step: 'interrupt' | 'mumble'; afterMs: number; text: string }
  /** Waits until the other side has spoken and stopped; gives the call up after `limitMs` without a word. */
  | { step: 'listen'; limitMs: number }
  | { step: 'tone'; hz: number; ms: number }
  | { step: 'music'; ms: number }
  /** Waits for the last of these keys; gives the call up when they do not come. */
  | { step: 'keys'; keys: string }
  | { step: 'wait'; ms: number }
  | { step: 'hang up' }

export interface Dialogue {
  /** How long it rings. */
  answerAfterMs: number
  /** How long a pause in the other side's speech may be before the callee takes its turn. */
  patienceMs: number
  steps: Step[]
}

const LISTEN_LIMIT_MS = 15_000
const DURATION = /^(\d{1,6})(ms|s)$/

/**
 * Parses a dialogue file: one step a line, `#` begins a comment (but `keys 1#`).
 *
 *     answer after 800ms
 *     patience 600ms
 *     listen
 *     say What would you like to order?
 *     begin Your order will be
 *     listen 10s
 *     wait 500ms
 *     say My number is five five five
 *     pause 700ms
 *     say one two three four.
 *     think 2s
 *     interrupt after 1500ms Hold on a second.
 *     mumble after 1500ms Okay.
 *     tone 1000hz 400ms
 *     music 8s
 *     keys 1
 *     hang up
 *
 * Throws an Error naming the line for anything else.
 */
export function parseDialogue(text: string): Dialogue {
  const dialogue: Dialogue = { answerAfterMs: 500, patienceMs: 600, steps: [] }
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.replace(/(^|\s)#.*/, '').trim()
    if (line === '') continue
    const where = `dialogue line ${index + 1}`
    const [word, rest] = splitFirst(line)
    if (word === 'answer') dialogue.answerAfterMs = toMs(rest.replace(/^after\s+/, ''), where)
    else if (word === 'patience') dialogue.patienceMs = toMs(rest, where)
    else dialogue.steps.push(toStep(line, where))
  }
  return dialogue
}

function toStep(line: string, where: string): Step {
  const [word, rest] = splitFirst(line)
  switch (word) {
    case 'say':
    case 'begin':
      if (rest === '') throw new Error(`${where}: ${word} what?`)
      return { step: word, text: rest }
    case 'interrupt':
    case 'mumble':
      return { step: word, ...toInterjection(rest, `${where}: ${word}`) }
    case 'listen':
      return { step: word, limitMs: rest === '' ? LISTEN_LIMIT_MS : toMs(rest, where) }
    case 'wait':
    case 'pause':
    case 'think':
    case 'music':
      return { step: word, ms: toMs(rest, where) }
    case 'tone':
      return { step: word, ...toTone(rest, `${where}: tone`) }
    case 'keys':
      if (!/^[0-9*#A-D]{1,32}$/.test(rest)) throw new Error(`${where}: '${rest}' are no keys`)
      return { step: word, keys: rest }
  }
  if (line !== 'hang up') throw new Error(`${where}: '${line}' is no step`)
  return { step: 'hang up' }
}

function toInterjection(rest: string, where: string): { afterMs: number; text: string } {
  const match = /^after\s+(\S+)\s+(.+)$/.exec(rest)
  if (!match) throw new Error(`${where} after how long, and with which words?`)
  return { afterMs: toMs(match[1] ?? '', where), text: match[2] ?? '' }
}

function toTone(rest: string, where: string): { hz: number; ms: number } {
  const match = /^(\d{2,4})hz\s+(\S+)$/.exec(rest)
  if (!match) throw new Error(`${where}: '${rest}' is no tone such as 1000hz 400ms`)
  return { hz: Number(match[1]), ms: toMs(match[2] ?? '', where) }
}

function splitFirst(line: string): [string, string] {
  const at = line.search(/\s/)
  return at < 0 ? [line, ''] : [line.slice(0, at), line.slice(at).trim()]
}

function toMs(text: string, where: string): number {
  const match = DURATION.exec(text)
  if (!match) throw new Error(`${where}: '${text}' is no duration such as 500ms or 2s`)
  return Number(match[1]) * (match[2] === 's' ? 1000 : 1)
}
