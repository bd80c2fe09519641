import { readFileSync } from 'node:fs'
import { reasonOf } from '../../core/errors.ts'
import { type Pattern, parsePattern } from './pattern.ts'

/** Something a rule asks of the transcript so far: that a line of `role` matches, or, with `wanted` false, none. */
export interface Condition {
  wanted: boolean
  role: 'agent' | 'human'
  pattern: Pattern
}

export type Occasion =
  /** The agent speaks first. */
  | { on: 'opening' }
  /** The human said nothing for a while. */
  | { on: 'silence' }
  /** The last human turn matches. */
  | { on: 'when'; pattern: Pattern }
  /** The human's nth turn, from 1. */
  | { on: 'turn'; number: number }
  /** A tool has answered. */
  | { on: 'tool'; name: string }
  /** No rule above matched. */
  | { on: 'default' }
  /** The call is over and its summary is asked for. */
  | { on: 'summary' }
  /** The call is over and its result is asked for, as JSON. */
  | { on: 'result' }

export interface ToolUse {
  name: string
  arguments: Record<string, unknown>
}

/** One block of a dialogue file. */
export interface Rule {
  /** Only in calls whose task matches; null: in any. */
  task: Pattern | null
  occasion: Occasion
  conditions: Condition[]
  /** What is said; `{name}` stands for what a named group of a pattern caught. */
  say: string
  tools: ToolUse[]
}

/** The rules of a dialogue file, in its order. */
export interface Dialogue {
  rules: Rule[]
}

/** A longer file is refused. */
const MAX_FILE = 256 * 1024

/** The dialogue of the file at `path`. Throws an Error that names the file, and the line where there is one. */
export function readDialogueFile(path: string): Dialogue {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new Error(`reading the dialogue file ${path}: ${reasonOf(error)}`, { cause: error })
  }
  return parseDialogue(text, path)
}

/**
 * Reads the text of a dialogue file; the folder's README describes its form. `name` is how errors call it.
 * Throws an Error `NAME, line N: what is wrong` for the first line that is not understood.
 */
export function parseDialogue(text: string, name: string): Dialogue {
  if (text.length > MAX_FILE) throw new Error(`${name}: a dialogue file may hold 256 KiB`)
  const rules: Rule[] = []
  let task: Rule['task'] = null
  for (const [i, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.trim()
    if (line === '' || line.startsWith('#')) continue
    try {
      if (/^\s/.test(raw)) addToRule(rules.at(-1), line)
      else if (/^task\b/.test(line)) task = parseTask(line)
      else rules.push({ task, occasion: parseOccasion(line), conditions: [], say: '', tools: [] })
    } catch (error) {
      throw new Error(`${name}, line ${i + 1}: ${reasonOf(error)}`)
    }
  }
  if (rules.length === 0) throw new Error(`${name}: it holds no rule`)
  return { rules }
}

function parseTask(line: string): Pattern {
  return parsePattern(needed(splitFirstWord(line)[1], 'the words of the task'))
}

function parseOccasion(line: string): Occasion {
  const [word = '', rest] = splitFirstWord(line)
  switch (word) {
    case 'opening':
    case 'silence':
    case 'default':
    case 'summary':
    case 'result':
      if (rest !== '') throw new Error(`nothing may follow "${word}"`)
      return { on: word }
    case 'when':
      return { on: word, pattern: parsePattern(needed(rest, 'the words to listen for')) }
    case 'turn':
      if (!/^[1-9]\d{0,3}$/.test(rest)) throw new Error('"turn" needs a number from 1')
      return { on: word, number: Number(rest) }
    case 'tool':
      return { on: word, name: needed(rest, 'the name of a tool') }
    default:
      throw new Error(
        `"${word}" begins no rule; rules begin with when, turn, opening, silence, tool, default, summary or result, or follow a task (lines of a rule are indented)`,
      )
  }
}

function addToRule(rule: Rule | undefined, line: string): void {
  if (!rule) throw new Error('an indented line has no rule above it')
  const [word, rest] = splitFirstWord(line)
  if (word === 'say') rule.say = `${rule.say} ${needed(rest, 'what to say')}`.trim()
  else if (word === 'if' || word === 'unless')
    rule.conditions.push(parseCondition(word === 'if', rest))
  else if (rule.occasion.on === 'summary' || rule.occasion.on === 'result')
    throw new Error(`a ${rule.occasion.on} only has say, if and unless`)
  else rule.tools.push(parseTool(word, rest))
}

function parseTool(word: string, rest: string): ToolUse {
  switch (word) {
    case 'press':
      if (!/^[0-9*#A-Dw]{1,32}$/.test(rest))
        throw new Error('"press" needs up to 32 keys: 0-9 * # A-D w')
      return { name: 'press_digits', arguments: { digits: rest } }
    case 'hang':
      if (rest !== 'up') throw new Error('"hang" is followed by "up"')
      return { name: 'end_call', arguments: {} }
    case 'call':
      return parseToolUse(rest)
    default:
      throw new Error(
        `"${word}" is unknown in a rule; its lines begin with say, if, unless, press, hang up or call`,
      )
  }
}

function parseCondition(wanted: boolean, source: string): Condition {
  const [role, rest] = splitFirstWord(source)
  if (role !== 'agent' && role !== 'human')
    throw new Error('a condition names "agent" or "human", then the words of one of their lines')
  return { wanted, role, pattern: parsePattern(needed(rest, `the words of the ${role}`)) }
}

function parseToolUse(source: string): ToolUse {
  const [name, json] = splitFirstWord(needed(source, 'the name of a tool'))
  if (json === '') return { name, arguments: {} }
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    throw new Error(`the arguments of ${name} are not JSON`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error(`the arguments of ${name} are no JSON object`)
  return { name, arguments: value as Record<string, unknown> }
}

function splitFirstWord(line: string): [string, string] {
  const end = line.search(/\s/)
  return end < 0 ? [line, ''] : [line.slice(0, end), line.slice(end).trim()]
}

function needed(text: string, what: string): string {
  if (text === '') throw new Error(`missing: ${what}`)
  return text
}
