/** What the callee's wire shows of a call: gaps, barge-ins, interruptions. Pure; times are ms, as the wire's log has them. */
import type { WirePacket } from '../telephony/media/wire-log.ts'
import type { Act } from './callee.ts'

export interface Measures {
  /** From the last packet of a turn with speech to the first one of the answer. */
  gapsMs: number[]
  /** From the first packet of an interruption to the last one of what it interrupted. */
  bargeInsMs: number[]
  /** From the end of a sign of listening until the agent was heard again; 0 where it never stopped. */
  resumesMs: number[]
  /** The agent began to speak within a turn, or while the callee thought. */
  falseInterruptions: number
  /** The agent began to speak while music played. */
  intoMusic: number
  /** From the end of a tone until the agent spoke; null where it did not before the callee did something else. */
  afterToneMs: (number | null)[]
  /** Interruptions, or signs of listening, that met a silent agent. */
  missed: number
}

interface Span {
  from: number
  to: number
}

/** A packet of less is silence: 45 dB under full scale. */
const LOUD = 184
/** So long without sound the agent has stopped. */
const STOPPED_MS = 200
/** The agent spoke until now: what comes next is another word of it. */
const BREATH_MS = 150
/** Who begins so soon after another has not heard them yet. */
const UNHEARD_MS = 200
/** After a sign of listening the agent may be heard to stop as late as this. */
const LATE_STOP_MS = 400

export function measure(packets: readonly WirePacket[], acts: readonly Act[]): Measures {
  const agent = runsOf(packets.filter(({ sent }) => !sent))
  const measures: Measures = {
    gapsMs: [],
    bargeInsMs: [],
    resumesMs: [],
    falseInterruptions: 0,
    intoMusic: 0,
    afterToneMs: [],
    missed: 0,
  }
  for (const [i, act] of acts.entries()) {
    const span = spanOf(packets, act)
    if (!span) continue
    const next = acts.slice(i + 1).map((later) => spanOf(packets, later))
    const until = next.find((later) => later !== null)?.from ?? Number.POSITIVE_INFINITY
    look(measures, { act, span, agent, until })
  }
  return measures
}

function look(
  measures: Measures,
  { act, span, agent, until }: { act: Act; span: Span; agent: readonly Span[]; until: number },
): void {
  const speaking = agent.find(({ from, to }) => from < span.from && to >= span.from - BREATH_MS)
  const beganWithin = agent.filter(
    ({ from }) => from > span.from + UNHEARD_MS && from < span.to,
  ).length
  const answer = agent.find(({ from }) => from >= span.to && from < until)
  switch (act.kind) {
    case 'turn':
      // Who speaks into the agent's words is not interrupted by them.
      if (beganWithin > 0 && !speaking) measures.falseInterruptions++
      else if (answer) measures.gapsMs.push(answer.from - span.to)
      break
    case 'think':
      if (beganWithin > 0) measures.falseInterruptions++
      break
    case 'music':
      measures.intoMusic += beganWithin
      break
    case 'tone':
      measures.afterToneMs.push(answer ? answer.from - span.to : null)
      break
    case 'interrupt':
    case 'mumble':
      if (!speaking) measures.missed++
      else if (act.kind === 'mumble') measures.resumesMs.push(resumeOf(speaking, { span, agent }))
      else measures.bargeInsMs.push(Math.max(0, speaking.to - span.from))
  }
}

/** Infinity when the agent stopped for good. */
function resumeOf(stopped: Span, { span, agent }: { span: Span; agent: readonly Span[] }): number {
  if (stopped.to > span.to + LATE_STOP_MS) return 0
  const again = agent.find(({ from }) => from > stopped.to)
  return again ? Math.max(0, again.from - span.to) : Number.POSITIVE_INFINITY
}

/** Stretches of speech, in order. */
function runsOf(packets: readonly WirePacket[]): Span[] {
  const runs: Span[] = []
  for (const { at, loudness } of packets) {
    if (loudness < LOUD) continue
    const last = runs.at(-1)
    if (last && at - last.to <= STOPPED_MS) last.to = at
    else runs.push({ from: at, to: at })
  }
  return runs
}

/** From the first packet that was heard of an act to its last; all of the time where there is nothing to hear. */
function spanOf(packets: readonly WirePacket[], { kind, from, to }: Act): Span | null {
  const within = packets.slice(from, to)
  const heard = kind === 'think' ? within : within.filter((p) => p.sent && p.loudness >= LOUD)
  const [first, last] = [heard[0], heard.at(-1)]
  return first && last ? { from: first.at, to: last.at } : null
}
