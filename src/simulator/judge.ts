/** Holds what a scene demands against what came of it. */
import type { WirePacket } from '../telephony/media/wire-log.ts'
import type { CalleeReport } from './callee.ts'
import { type Measures, measure } from './measures.ts'
import type { Demand, Scene } from './scene.ts'
import { wordErrors, wordsOf } from './word-errors.ts'

/** A call as the API tells it. */
export interface CallFacts {
  status: string
  endReason: string | null
  transcript: { role: string; text: string }[]
}

/** What the callee has of the call; null when it never answered. */
export type CalleeFacts = { report: CalleeReport; packets: readonly WirePacket[] } | null

export interface Spread {
  p50: number
  p95: number
}

/** Times are ms, taken at the callee's socket; null where there was nothing to measure. */
export interface SceneResult {
  name: string
  about: string
  passed: boolean
  /** What did not hold, a sentence each. */
  problems: string[]
  status: string
  endReason: string | null
  gapMs: Spread | null
  bargeInMs: Spread | null
  goesOnWithinMs: Spread | null
  falseInterruptions: number
  /** Of the callee's words; null where it said none. */
  wordsWrong: { wrong: number; of: number } | null
  keys: string
  /** From the first packet to the last. */
  lastedMs: number
  transcript: CallFacts['transcript']
}

/** Whether all held. Never throws. */
export function judge(
  scene: Scene,
  call: CallFacts,
  callee: CalleeFacts,
): { result: SceneResult; measures: Measures } {
  const { acts, keys, gaveUp } = callee?.report ?? { acts: [], keys: '', gaveUp: null }
  const packets = callee?.packets ?? []
  const measures = measure(packets, acts)
  const said = acts
    .map(({ text }) => text)
    .filter((text) => text !== '')
    .join(' ')
  const result: SceneResult = {
    name: scene.name,
    about: scene.about,
    passed: false,
    problems: [],
    status: call.status,
    endReason: call.endReason,
    gapMs: spread(measures.gapsMs),
    bargeInMs: spread(measures.bargeInsMs),
    goesOnWithinMs: spread(measures.resumesMs),
    falseInterruptions: measures.falseInterruptions,
    wordsWrong: said === '' ? null : wordErrors(said, textOf(call, 'human')),
    keys,
    lastedMs: Math.round((packets.at(-1)?.at ?? 0) - (packets[0]?.at ?? 0)),
    transcript: call.transcript,
  }
  const problems = [
    ...(gaveUp === null ? [] : [`the callee gave up: ${gaveUp}`]),
    ...(measures.falseInterruptions === 0
      ? []
      : [`the agent interrupted ${measures.falseInterruptions} times`]),
    ...(measures.missed === 0 ? [] : ['the agent was silent when it was to be interrupted']),
    ...demandsOf(scene).flatMap((demand) => problemOf(demand, { result, call, measures }) ?? []),
  ]
  return { result: { ...result, problems, passed: problems.length === 0 }, measures }
}

function demandsOf({ demands }: Scene): Demand[] {
  if (demands.some(({ must }) => must === 'status')) return demands
  return [{ must: 'status', text: 'completed' }, ...demands]
}

interface Seen {
  result: SceneResult
  call: CallFacts
  measures: Measures
}

/** Null when it holds. */
function problemOf(demand: Demand, { result, call, measures }: Seen): string | null {
  switch (demand.must) {
    case 'status':
      return unless(call.status === demand.text, `status ${call.status}, not ${demand.text}`)
    case 'ended':
      return unless(call.endReason === demand.text, `ended ${call.endReason}, not ${demand.text}`)
    case 'keys':
      return unless(result.keys === demand.text, `keys '${result.keys}', not '${demand.text}'`)
    case 'agent says':
      return unless(says(call, 'agent', demand.text), `the agent did not say '${demand.text}'`)
    case 'human says':
      return unless(says(call, 'human', demand.text), `the human did not say '${demand.text}'`)
    case 'agent never says':
      return unless(!says(call, 'agent', demand.text), `the agent said '${demand.text}'`)
    case 'gap p95':
      return atMost('answered after', measures.gapsMs, demand.ms)
    case 'barge-in':
      return atMost('stopped after a median of', median(measures.bargeInsMs), demand.ms)
    case 'goes on within':
      return atMost('went on after', measures.resumesMs, demand.ms)
    case 'after tone':
      return atMost('spoke after the tone', measures.afterToneMs, demand.ms)
    case 'lasts':
      return unless(result.lastedMs <= demand.ms, `lasted ${result.lastedMs} ms, not ${demand.ms}`)
    case 'words wrong': {
      const wrong = result.wordsWrong?.wrong ?? 0
      return unless(wrong <= demand.count, `${wrong} words wrong, not ${demand.count}`)
    }
    case 'into music':
      return unless(
        measures.intoMusic <= demand.count,
        `spoke into the music ${measures.intoMusic} times, not ${demand.count}`,
      )
  }
}

function unless(holds: boolean, problem: string): string | null {
  return holds ? null : problem
}

function atMost(what: string, times: readonly (number | null)[], ms: number): string | null {
  if (times.length === 0) return `${what}: there was nothing to measure`
  const told = times.map((time) => (time === null ? 'never' : `${Math.round(time)} ms`)).join(', ')
  const late = times.some((time) => time === null || time > ms)
  return unless(!late, `${what} ${told}; at most ${ms} ms`)
}

function says(call: CallFacts, role: 'agent' | 'human', words: string): boolean {
  return wordsOf(textOf(call, role)).join(' ').includes(wordsOf(words).join(' '))
}

function textOf({ transcript }: CallFacts, wanted: 'agent' | 'human'): string {
  return transcript.flatMap(({ role, text }) => (role === wanted ? [text] : [])).join(' ')
}

function median(times: readonly number[]): number[] {
  const p50 = spread(times)?.p50
  return p50 === undefined ? [] : [p50]
}

/** By nearest rank, in whole ms; null of none. */
export function spread(times: readonly number[]): Spread | null {
  const sorted = [...times].sort((a, b) => a - b)
  const at = (q: number): number => Math.round(sorted[Math.ceil(q * sorted.length) - 1] ?? 0)
  return sorted.length === 0 ? null : { p50: at(0.5), p95: at(0.95) }
}
