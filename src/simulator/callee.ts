import type { Leg } from '../calls/ports.ts'
import type { SpeechDetector, Voice } from '../conversation/ports.ts'
import { type Clock, sleep } from '../core/clock.ts'
import type { Dialogue, Step } from './dialogue.ts'
import { createEars, type Ears } from './ears.ts'
import { music, tone } from './sounds.ts'

export interface CalleeDeps {
  clock: Clock
  speech: SpeechDetector
  voice: Voice
  dialogue: Dialogue
  /** Answers and never says a word; stays until the other side hangs up. */
  mute: boolean
}

/** Something that the callee did, and between which packets of its wire. */
export interface Act {
  /** A turn may be several lines with breaths between them. */
  kind: 'turn' | 'interrupt' | 'mumble' | 'think' | 'tone' | 'music'
  /** What was said; empty where nothing was. */
  text: string
  /** How many packets had passed when it began, and when it was over. */
  from: number
  to: number
}

/** What the callee has of one call when it is over. */
export interface CalleeReport {
  acts: Act[]
  /** The keys that the other side pressed. */
  keys: string
  /** What it waited for in vain; null when all came as its dialogue has it, or the other side hung up first. */
  gaveUp: string | null
}

/** The log of a call's wire, as far as an act needs it. */
export interface WireCount {
  readonly count: number
}

const NO_WIRE: WireCount = { count: 0 }
const INTERJECTION_LIMIT_MS = 20_000
const KEYS_LIMIT_MS = 20_000
const KEYS_LOOK_MS = 50

/**
 * A person, or a machine, at the other end of a call: speaks its lines, waits by its own ears until the other side has
 * finished. `answer` leads one answered call to its end; acts are told by the packets of `wire`.
 */
export function createCallee(d: CalleeDeps): {
  answer(leg: Leg, wire?: WireCount): Promise<CalleeReport>
} {
  return {
    answer: (leg, wire = NO_WIRE) => new OneCall(d, leg, wire).lead(),
  }
}

class OneCall {
  private readonly d: CalleeDeps
  private readonly leg: Leg
  private readonly wire: WireCount
  private readonly ears: Ears
  private readonly over = new AbortController()
  private readonly report: CalleeReport = { acts: [], keys: '', gaveUp: null }
  /** What it says with breaths between. */
  private turn: Act | null = null
  private begun: Promise<void> = Promise.resolve()

  constructor(d: CalleeDeps, leg: Leg, wire: WireCount) {
    this.d = d
    this.leg = leg
    this.wire = wire
    this.ears = createEars(d, leg, d.dialogue)
    void leg.ended.then(() => this.over.abort())
    leg.onDigit((digit) => {
      this.report.keys += digit
    })
  }

  async lead(): Promise<CalleeReport> {
    const { d, leg, over, report } = this
    try {
      for (const step of d.mute ? [] : d.dialogue.steps) {
        if (over.signal.aborted) break
        const gaveUp = await this.take(step)
        if (gaveUp === false) continue
        if (!over.signal.aborted) report.gaveUp = gaveUp
        break
      }
      if (d.mute) await leg.ended
      await leg.hangup()
      await this.begun
      return report
    } finally {
      this.ears.close()
    }
  }

  /** False: on to the next step. Else the call is over for the callee: why, null when it was to end here. */
  private async take(step: Step): Promise<string | null | false> {
    const { d, leg, ears, over } = this
    const { rateHz } = leg.ears
    if (step.step !== 'say' && step.step !== 'pause') this.turn = null
    switch (step.step) {
      case 'begin':
        void this.say(step.text).catch(() => undefined)
        return false
      case 'say':
        await this.goOn(step.text)
        return false
      case 'interrupt':
      case 'mumble':
        if (!(await ears.spokenFor(step.afterMs, INTERJECTION_LIMIT_MS, over.signal)))
          return `nothing was said for ${step.afterMs} ms that it could ${step.step} into`
        await this.act({ kind: step.step, text: step.text }, () => this.say(step.text))
        // What was interrupted is no answer to the interruption.
        if (step.step === 'interrupt') ears.forget()
        else ears.listenAnew()
        return false
      case 'tone':
      case 'music': {
        const clip = step.step === 'tone' ? tone({ ...step, rateHz }) : music({ ...step, rateHz })
        await this.act({ kind: step.step, text: '' }, () => leg.mouth.enqueue(clip).ended)
        return false
      }
      case 'think':
        await this.act({ kind: 'think', text: '' }, () => sleep(d.clock, step.ms, over.signal))
        return false
      case 'pause':
      case 'wait':
        await sleep(d.clock, step.ms, over.signal)
        return false
      case 'listen':
        if (await ears.turnEnded(step.limitMs, over.signal)) return false
        return `nothing was said for ${step.limitMs} ms`
      case 'keys':
        return (await this.pressed(step.keys)) ? false : `keys ${step.keys} were not pressed`
      case 'hang up':
        return null
    }
  }

  private async goOn(text: string): Promise<void> {
    const { turn } = this
    if (turn) turn.text += ` ${text}`
    const act = turn ?? this.begin({ kind: 'turn', text })
    this.turn = act
    await this.say(text)
    act.to = this.wire.count
  }

  private async act(what: Pick<Act, 'kind' | 'text'>, body: () => Promise<unknown>): Promise<void> {
    const act = this.begin(what)
    await body()
    act.to = this.wire.count
  }

  private begin(what: Pick<Act, 'kind' | 'text'>): Act {
    const { count } = this.wire
    const act = { ...what, from: count, to: count }
    this.report.acts.push(act)
    return act
  }

  private say(text: string): Promise<void> {
    this.ears.forget()
    this.begun = speak(this.d, this.leg, text, this.over.signal)
    return this.begun
  }

  private async pressed(keys: string): Promise<boolean> {
    const { clock } = this.d
    const giveUpAt = clock.steady() + KEYS_LIMIT_MS
    while (!this.report.keys.endsWith(keys)) {
      if (this.over.signal.aborted || clock.steady() >= giveUpAt) return false
      await sleep(clock, KEYS_LOOK_MS, this.over.signal)
    }
    return true
  }
}

async function speak(d: CalleeDeps, leg: Leg, text: string, signal: AbortSignal): Promise<void> {
  let last: Promise<unknown> = Promise.resolve()
  try {
    for await (const clip of d.voice.speak({ text, rateHz: leg.ears.rateHz, signal }))
      last = leg.mouth.enqueue(clip).ended
  } catch (error) {
    if (!signal.aborted) throw error
  }
  await last
}
