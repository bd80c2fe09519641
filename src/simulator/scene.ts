/** A scene of the gym: a callee, an agent that follows a script, and what must hold when one has phoned the other. */
import { reasonOf } from '../core/errors.ts'
import { type Dialogue, parseDialogue } from './dialogue.ts'

/** One thing that must hold; limits are inclusive. */
export type Demand =
  | {
      must: 'status' | 'ended' | 'keys' | 'agent says' | 'agent never says' | 'human says'
      text: string
    }
  | { must: 'gap p95' | 'barge-in' | 'goes on within' | 'lasts' | 'after tone'; ms: number }
  | { must: 'words wrong' | 'into music'; count: number }

export interface Scene {
  name: string
  about: string
  /** The agent's first words; null: it waits for the human's. */
  firstMessage: string | null
  /** Further fields of the request. */
  request: Record<string, unknown>
  /** Nothing in it is timed: it may run beside others. */
  beside: boolean
  /** A SIP status with which the callee refuses the call; null: it answers. */
  refuse: number | null
  callee: Dialogue
  /** The rules of the agent's dialogue file. */
  agent: string
  demands: Demand[]
}

const SECTION = /^\[(callee|agent|must)\]$/

/**
 * Parses a scene file. Its head is `about TEXT` and, where needed, `first message TEXT`, `request {JSON}`, `beside`,
 * `refuse STATUS`; then come the sections `[callee]` (a dialogue file of the callee), `[agent]` (rules of the scripted
 * agent, as a dialogue file of `llm.script`) and `[must]`, one demand a line:
 *
 *     status busy               ended human_hangup         keys 12
 *     gap p95 900ms             barge-in 150ms             goes on within 300ms
 *     after tone 2000ms         lasts 20s                  words wrong 1
 *     into music 0              agent says WORDS           human says WORDS
 *     agent never says WORDS
 *
 * A barge-in is held to by the median. No false interruption, and status `completed`, are demanded always. Throws an Error naming scene and line.
 */
export function parseScene(name: string, text: string): Scene {
  const parts = {
    head: [] as string[],
    callee: [] as string[],
    agent: [] as string[],
    must: [] as string[],
  }
  let part: keyof typeof parts = 'head'
  for (const line of text.split('\n')) {
    part = (SECTION.exec(line)?.[1] as keyof typeof parts | undefined) ?? part
    parts[part].push(SECTION.test(line) ? '' : line)
  }
  try {
    return {
      name,
      ...toHead(meaningful(parts.head)),
      callee: parseDialogue(parts.callee.join('\n')),
      agent: parts.agent.join('\n'),
      demands: meaningful(parts.must).map(toDemand),
    }
  } catch (error) {
    throw new Error(`scene ${name}: ${reasonOf(error)}`, { cause: error })
  }
}

type Head = Pick<Scene, 'about' | 'firstMessage' | 'request' | 'beside' | 'refuse'>

function toHead(lines: readonly string[]): Head {
  const head: Head = { about: '', firstMessage: null, request: {}, beside: false, refuse: null }
  for (const line of lines) {
    const [, key, rest = ''] =
      /^(about|first message|request|beside|refuse)\b\s*(.*)$/.exec(line) ?? []
    if (key === 'about') head.about = rest
    else if (key === 'first message') head.firstMessage = rest
    else if (key === 'request') head.request = JSON.parse(rest) as Record<string, unknown>
    else if (key === 'beside' && rest === '') head.beside = true
    else if (key === 'refuse' && /^[456]\d\d$/.test(rest)) head.refuse = Number(rest)
    else throw new Error(`'${line}' is nothing that a scene begins with`)
  }
  return head
}

function toDemand(line: string): Demand {
  const words = /^(status|ended|keys|agent says|agent never says|human says)\s+(.+)$/.exec(line)
  if (words) return { must: words[1], text: words[2] } as Demand
  const time = /^(gap p95|barge-in|goes on within|lasts|after tone)\s+(\d+)(ms|s)$/.exec(line)
  if (time) return { must: time[1], ms: Number(time[2]) * (time[3] === 's' ? 1000 : 1) } as Demand
  const count = /^(words wrong|into music)\s+(\d+)$/.exec(line)
  if (count) return { must: count[1], count: Number(count[2]) } as Demand
  throw new Error(`'${line}' is nothing that can be demanded`)
}

function meaningful(lines: readonly string[]): string[] {
  return lines.map((line) => line.replace(/(^|\s)#.*/, '').trim()).filter((line) => line !== '')
}
