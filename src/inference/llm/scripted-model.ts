import type { Delta, LanguageModel, Message } from '../../conversation/ports.ts'
import { abortError } from '../../core/abort.ts'
import type { Log } from '../../core/log.ts'
import type { Condition, Dialogue, Rule } from './dialogue-file.ts'
import type { Captures } from './pattern.ts'

/** The last user message of a request for a summary begins so, and no tools come with it. */
const SUMMARY_REQUEST = /^\s*summarise this call/i
/** So does the first of a request for a result; a schema comes with it. */
const RESULT_REQUEST = /^\s*report the result of this call/i
/** A line of a transcript inside a request for a summary. */
const TRANSCRIPT_LINE = /^\s*(agent|human)\s*:\s*(.+)$/i
/** Ends what the agent said when its rest was not heard. */
const CUT_OFF = /\[cut off\]\s*$/
/** A user message wholly in brackets is a note of the conversation, not what the human said. */
const NOTE = /^\s*[([][^)\]]*[)\]]\s*$/

interface Line {
  role: 'agent' | 'human'
  text: string
}

/**
 * A language model that follows a dialogue file: the same conversation always gets the same reply. It keeps nothing
 * between turns; all it knows is the messages. Where no rule holds it says nothing; a summary or a result throws.
 */
export function createScriptedModel(o: {
  dialogue: Dialogue
  /** Where the dialogue comes from, for probes. */
  name: string
  log: Log
}): LanguageModel {
  const { rules: all } = o.dialogue
  return {
    async *reply({ messages, tools, maxTokens, schema, signal }) {
      if (signal.aborted) throw abortError()
      const rules = rulesFor(all, messages)
      if (schema) {
        yield* toDeltas(report(rules, resultLines(messages)), maxTokens, signal)
        return
      }
      if (isSummaryRequest(messages, tools.length)) {
        yield* toDeltas(summarise(rules, toLines(messages)), maxTokens, signal)
        return
      }
      const lines = toLines(messages)
      const chosen = choose(rules, messages, lines)
      if (!chosen) return o.log.debug('no rule of the dialogue matched')
      yield* toDeltas(fill(chosen.rule.say, chosen.captures), maxTokens, signal)
      for (const tool of chosen.rule.tools) {
        if (tools.some(({ name }) => name === tool.name)) yield { type: 'tool', ...tool }
        else o.log.warn('tool call ignored', { tool: tool.name, reason: 'not offered' })
      }
    },
    warmUp: async () => {},
    probe: async () => ({
      name: 'language model',
      state: 'ready',
      reason: `scripted by ${o.name}, ${all.length} rules`,
    }),
  }
}

/** The task is in the first message, the system's; a request for a summary has it there, or before the transcript. */
function rulesFor(rules: readonly Rule[], messages: readonly Message[]): readonly Rule[] {
  const task = messages
    .filter(({ role, content }) => role === 'system' || SUMMARY_REQUEST.test(content))
    .map(({ content }) => content.split(/^Transcript:$/m)[0])
    .join(' ')
  return rules.filter((rule) => rule.task === null || rule.task(task) !== null)
}

function isSummaryRequest(messages: readonly Message[], toolCount: number): boolean {
  const last = messages.at(-1)
  return toolCount === 0 && last?.role === 'user' && SUMMARY_REQUEST.test(last.content)
}

/** The transcript in a request for a result; what was answered and asked again after it does not count. */
function resultLines(messages: readonly Message[]): Line[] {
  const request = messages.find(
    ({ role, content }) => role === 'user' && RESULT_REQUEST.test(content),
  )
  return toTranscript(request?.content ?? '')
}

/** What was said so far, whether it comes as messages or written out inside a request for a summary. */
function toLines(messages: readonly Message[]): Line[] {
  const lines: Line[] = []
  for (const { role, content } of messages) {
    if (role === 'user' && SUMMARY_REQUEST.test(content)) lines.push(...toTranscript(content))
    else if (role === 'user' && !isNote({ role, content }))
      lines.push({ role: 'human', text: content })
    else if (role === 'assistant' && content.trim() !== '')
      lines.push({ role: 'agent', text: content })
  }
  return lines
}

/** What stands before a line `Transcript:` is the task, not what was said. */
function toTranscript(content: string): Line[] {
  const rows = content.split('\n')
  const said = rows.slice(rows.findIndex((row) => row.trim() === 'Transcript:') + 1)
  return said.flatMap((row): Line[] => {
    const found = TRANSCRIPT_LINE.exec(row)
    if (!found) return []
    return [{ role: found[1]?.toLowerCase() === 'agent' ? 'agent' : 'human', text: found[2] ?? '' }]
  })
}

interface Choice {
  rule: Rule
  captures: Captures
}

/** The first rule whose occasion and conditions hold; `default` rules only after all others. */
function choose(
  rules: readonly Rule[],
  messages: readonly Message[],
  lines: readonly Line[],
): Choice | undefined {
  const moment = toMoment(messages, lines)
  if (moment.kind === 'cut off') return choose(rules, messages.slice(0, moment.from), moment.lines)
  const isDefault = (rule: Rule): boolean => rule.occasion.on === 'default'
  const ordered = [...rules.filter((rule) => !isDefault(rule)), ...rules.filter(isDefault)]
  for (const rule of ordered) {
    const heard = occurs(rule, moment)
    const held = heard && holds(rule.conditions, lines)
    if (held) return { rule, captures: { ...held, ...heard } }
  }
  return undefined
}

type Moment =
  | {
      kind: 'opening' | 'silence' | 'turn' | 'tool'
      /** What the human said last, or the name of the tool that answered. */
      text: string
      /** How many turns the human has had. */
      turn: number
    }
  /** A noise stopped the agent: what it said to the messages before `from` it says again. */
  | { kind: 'cut off'; from: number; lines: readonly Line[] }

function toMoment(messages: readonly Message[], lines: readonly Line[]): Moment {
  const last = messages.at(-1)
  const turn = lines.filter(({ role }) => role === 'human').length
  if (last?.role === 'tool') return { kind: 'tool', text: last.toolName ?? '', turn }
  if (last?.role === 'user' && !isNote(last)) return { kind: 'turn', text: last.content, turn }
  const spoken = messages.findLastIndex((message) => !isNote(message) && message.content !== '')
  const cut = messages[spoken]?.role === 'assistant' && CUT_OFF.test(messages[spoken].content)
  if (cut) return { kind: 'cut off', from: spoken, lines: lines.slice(0, -1) }
  return { kind: lines.length === 0 ? 'opening' : 'silence', text: '', turn }
}

/** What the conversation tells the model, or nothing at all: no words of the human. */
function isNote({ role, content }: Message): boolean {
  return role === 'system' || (role === 'user' && (content.trim() === '' || NOTE.test(content)))
}

function occurs({ occasion }: Rule, moment: Exclude<Moment, { kind: 'cut off' }>): Captures | null {
  switch (occasion.on) {
    case 'when':
      return moment.kind === 'turn' ? occasion.pattern(moment.text) : null
    case 'turn':
      return moment.kind === 'turn' && moment.turn === occasion.number ? {} : null
    case 'tool':
      return moment.kind === 'tool' && moment.text === occasion.name ? {} : null
    case 'default':
      return moment.kind === 'turn' ? {} : null
    case 'opening':
    case 'silence':
      return moment.kind === occasion.on ? {} : null
    case 'summary':
    case 'result':
      return null
  }
}

/** What the conditions caught when all hold; the latest line that matches counts. */
function holds(conditions: readonly Condition[], lines: readonly Line[]): Captures | null {
  const captures: Record<string, string> = {}
  for (const { wanted, role, pattern } of conditions) {
    const found = lines
      .filter((line) => line.role === role)
      .map((line) => pattern(line.text))
      .findLast((match) => match !== null)
    if ((found !== undefined) !== wanted) return null
    Object.assign(captures, found)
  }
  return captures
}

/** Every summary rule that holds adds its sentence. */
function summarise(rules: readonly Rule[], lines: readonly Line[]): string {
  const sentences = rules.flatMap((rule) => {
    const captures = rule.occasion.on === 'summary' ? holds(rule.conditions, lines) : null
    return captures ? [fill(rule.say, captures)] : []
  })
  if (sentences.length === 0)
    throw new Error('the dialogue file has no summary for what was said in this call')
  return sentences.join(' ')
}

/** The JSON of the first result rule that holds; what its patterns caught stands in JSON strings. */
function report(rules: readonly Rule[], lines: readonly Line[]): string {
  for (const rule of rules) {
    const captures = rule.occasion.on === 'result' ? holds(rule.conditions, lines) : null
    if (captures) return fill(rule.say, captures, (text) => JSON.stringify(text).slice(1, -1))
  }
  throw new Error('the dialogue file has no result for what was said in this call')
}

function fill(
  template: string,
  captures: Captures,
  escaped: (text: string) => string = (text) => text,
): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => escaped(captures[name] ?? ''))
}

/** Word by word, as a model would; a word counts as a token. */
async function* toDeltas(
  text: string,
  maxTokens: number,
  signal: AbortSignal,
): AsyncIterable<Delta> {
  const words = text.match(/\s*\S+/g) ?? []
  for (const word of words.slice(0, maxTokens)) {
    // Other promises get their turn between two words, so that an abort is seen.
    await Promise.resolve()
    if (signal.aborted) throw abortError()
    yield { type: 'text', text: word }
  }
}
