/** What the callee does, step by step, read from a dialogue file. */
export type Step =
  /** Says a line and waits until it was said. */
  | { step: 'say'; text: string }
  /** Begins a line, and goes on while it sounds. */
  | { step: 'begin'; text: string }
  /** Waits until the other side has spoken and stopped; gives the call up after `limitMs` without a word. */
  | { step: 'listen'; limitMs: number }
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
 * Parses a dialogue file: one step a line, `#` begins a comment.
 *
 *     answer after 800ms
 *     patience 600ms
 *     listen
 *     say What would you like to order?
 *     begin Your order will be
 *     listen 10s
 *     wait 500ms
 *     hang up
 *
 * Throws an Error naming the line for anything else.
 */
export function parseDialogue(text: string): Dialogue {
  const dialogue: Dialogue = { answerAfterMs: 500, patienceMs: 600, steps: [] }
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.replace(/#.*/, '').trim()
    if (line === '') continue
    const where = `dialogue line ${index + 1}`
    const [word = '', rest = ''] = splitFirst(line)
    switch (word) {
      case 'say':
      case 'begin':
        if (rest === '') throw new Error(`${where}: ${word} what?`)
        dialogue.steps.push({ step: word, text: rest })
        break
      case 'listen':
        dialogue.steps.push({
          step: 'listen',
          limitMs: rest === '' ? LISTEN_LIMIT_MS : toMs(rest, where),
        })
        break
      case 'wait':
        dialogue.steps.push({ step: 'wait', ms: toMs(rest, where) })
        break
      case 'answer':
        dialogue.answerAfterMs = toMs(rest.replace(/^after\s+/, ''), where)
        break
      case 'patience':
        dialogue.patienceMs = toMs(rest, where)
        break
      default:
        if (line !== 'hang up') throw new Error(`${where}: '${line}' is no step`)
        dialogue.steps.push({ step: 'hang up' })
    }
  }
  return dialogue
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
