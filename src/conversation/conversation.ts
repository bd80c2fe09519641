/** Runs a conversation: tells `decide` what happens and does what it says. No rule of talking is in here. */
import { createCallTime } from '../calls/call-time.ts'
import type { Brief, Leg, StopReason, Talk, TalkEvent } from '../calls/ports.ts'
import { reasonOf } from '../core/errors.ts'
import { toMs } from '../core/pcm.ts'
import { type AgentLines, type AgentLinesDeps, createAgentLines } from './agent-lines.ts'
import { decide, nextDue } from './decide.ts'
import { bargeInRule } from './limits.ts'
import { followSpeech } from './partials.ts'
import type { SpeechEvent } from './ports.ts'
import { wantsPartials } from './situations/interrupting.ts'
import {
  type Action,
  changed,
  type EndingReason,
  type Event,
  initialState,
  type State,
} from './state.ts'
import { createTeller, type Teller } from './teller.ts'
import { createTranscript } from './transcript.ts'

/** A `due` that changed nothing is not repeated before this. */
const IDLE_DUE_MS = 50

type Heard = Exclude<SpeechEvent, { type: 'tone' }>
type Perform = { [K in Action['type']]: (action: Extract<Action, { type: K }>) => void }

/** Holds a conversation on an answered leg until it has ended and is hung up. Never rejects. */
export function holdConversation(
  d: AgentLinesDeps,
  leg: Leg,
  o: { signal: AbortSignal; on(event: TalkEvent): void },
): Promise<Talk> {
  return new Runner(d, leg, o).run()
}

class Runner {
  private readonly d: AgentLinesDeps
  private readonly leg: Leg
  private readonly signal: AbortSignal
  private readonly now: () => number
  private readonly transcript = createTranscript()
  private readonly teller: Teller
  private readonly lines: AgentLines
  private readonly perform: Perform
  private readonly done = Promise.withResolvers<Talk>()
  private readonly events: Event[] = []
  private state: State
  private running = true
  private handling = false
  private idle = false
  private forgetDue: () => void = () => undefined
  private unwatch: () => void = () => undefined
  /** Set while the text so far of what is said into our words is asked for. */
  private unfollow: (() => void) | null = null

  constructor(d: AgentLinesDeps, leg: Leg, o: { signal: AbortSignal; on(event: TalkEvent): void }) {
    this.d = d
    this.leg = leg
    this.signal = o.signal
    const { transcript } = this
    const now = createCallTime(d.clock)
    this.now = now
    this.teller = createTeller({ transcript, now, log: d.log, on: o.on })
    const { teller } = this
    this.lines = createAgentLines(d, { leg, now, transcript, teller, on: this.dispatch })
    this.perform = this.actions()
    this.state = initialState({
      answeredAt: this.timeOf(0),
      maxDurationSeconds: d.brief.maxDurationSeconds,
      hasFirstMessage: d.firstMessage !== null,
      weAnswer: d.brief.direction === 'inbound',
      rule: bargeInRule(leg.ears.rateHz),
      llmTimeoutMs: d.llmTimeoutMs,
      transferTo: d.brief.transferTo,
      callBacks: d.callBack !== null,
      onVoicemail: onVoicemailOf(d.brief),
      held: leg.held,
    })
  }

  run(): Promise<Talk> {
    this.dispatch({ type: 'answered' })
    try {
      this.unwatch = this.d.engines.speech.watch(this.leg.ears, this.onDetected)
    } catch (error) {
      this.warn('speech detector failed', error)
      this.dispatch({ type: 'deaf' })
    }
    this.leg.onDigit((digit) => this.dispatch({ type: 'key', digit }))
    void this.leg.ended.then((end) => this.dispatch({ type: 'leg_ended', end }))
    if (this.signal.aborted) this.onStop()
    else this.signal.addEventListener('abort', this.onStop, { once: true })
    return this.done.promise
  }

  /** Events are handled one after the other, also those that come of handling one. */
  private readonly dispatch = (event: Event): void => {
    this.events.push(event)
    if (this.handling || !this.running) return
    this.handling = true
    try {
      for (let next = this.events.shift(); next && this.running; next = this.events.shift()) {
        this.lookAtHold()
        this.step(next)
      }
    } catch (error) {
      this.warn('conversation failed', error)
      void this.leg.hangup().catch(() => undefined)
      void this.close('engine_error')
    }
    this.handling = false
    if (!this.running) return
    this.follow()
    this.waitForDue()
  }

  private follow(): void {
    const from = wantsPartials(this.state) ? this.state.utterance?.from : undefined
    if ((from === undefined) === (this.unfollow === null)) return
    this.unfollow?.()
    this.unfollow = null
    if (from === undefined) return
    const { engines, clock, language } = this.d
    const onText = (text: string): void => this.dispatch({ type: 'partial', text })
    const d = { recogniser: engines.recogniser, clock, language }
    this.unfollow = followSpeech(d, { ears: this.leg.ears, from, onText })
  }

  private lookAtHold(): void {
    const { held, lastHold, ears } = this.leg
    if (held === this.state.held || this.state.ending) return
    const position = (held ? lastHold?.from : lastHold?.to) ?? ears.written
    this.step({ type: 'hold', held, position })
  }

  private step(event: Event): void {
    if (event.type === 'failed') this.warn(`engine failed: ${event.stage}`, new Error(event.reason))
    const actions = decide(this.state, event, this.now())
    this.idle = event.type === 'due' && actions.length === 0
    for (const action of actions) {
      this.state = changed(this.state, [action])
      const act = this.perform[action.type] as (action: Action) => void
      act(action)
    }
  }

  private waitForDue(): void {
    this.forgetDue()
    const wait = Math.max(nextDue(this.state) - this.now(), this.idle ? IDLE_DUE_MS : 0)
    this.forgetDue = this.d.clock.after(wait, () =>
      this.dispatch({ type: 'due', position: this.leg.ears.written }),
    )
  }

  private readonly onDetected = (detected: SpeechEvent): void => {
    if (detected.type === 'tone') {
      const ms = toMs(detected.to - detected.from, this.leg.ears.rateHz)
      this.dispatch({ type: 'tone', hz: detected.hz, ms })
      return
    }
    const event = afterHold(detected, this.leg.lastHold)
    if (!event) return
    const { type, from } = event
    const since = this.timeOf(from)
    if (type === 'speech_paused')
      this.dispatch({ type, from, to: event.to, since, until: this.timeOf(event.ended) })
    else this.dispatch({ type, from, since })
  }

  private readonly onStop = (): void => {
    this.dispatch({ type: 'stop', reason: stopReason(this.signal.reason) })
  }

  /** When a position of the ring was heard: told by how far it is written, whenever the message arrives. */
  private timeOf(position: number): number {
    const { written, rateHz } = this.leg.ears
    return this.now() - toMs(written - position, rateHz)
  }

  private actions(): Perform {
    const { lines, teller } = this
    return {
      become: () => undefined,
      draft: (action) => lines.draft(action),
      reply: ({ id, note }) => lines.reply(id, note),
      leave_message: ({ id }) => lines.leaveMessage(id),
      first_message: ({ id }) => lines.firstMessage(id),
      say: ({ id, line }) => lines.say(id, line),
      release: ({ id }) => lines.release(id),
      hold_back: ({ id }) => lines.holdBack(id),
      drop: ({ id }) => lines.drop(id),
      stop_mouth: () => lines.stop(),
      resume_mouth: () => this.leg.mouth.resume(),
      arm: ({ rule }) => this.leg.mouth.arm(rule),
      human_said: ({ id, text, at, until, continues }) =>
        teller.human({ text, at, until, continues, finalText: lines.finalTextAt(id) }),
      tool_used: ({ call }) => teller.tool(call),
      answer_tool: ({ id, call, result }) => lines.answerTool(id, call, result),
      tool_done: ({ id, call, result }) => lines.finishTool(id, call, result),
      call_back: ({ id, call, when }) => void lines.callBack(id, call, when),
      press: ({ id, call, digits }) => void lines.press(id, call, digits),
      transfer: ({ id, call, number }) => void lines.transfer(id, call, number),
      handed_over: () => teller.handedOver(),
      hang_up: () =>
        void this.leg.hangup().catch((error: unknown) => this.warn('hang-up failed', error)),
      close: ({ reason }) => void this.close(reason),
    }
  }

  private async close(ending: EndingReason): Promise<void> {
    if (!this.running) return
    this.running = false
    this.forgetDue()
    this.unfollow?.()
    this.signal.removeEventListener('abort', this.onStop)
    try {
      this.unwatch()
    } catch (error) {
      this.warn('speech detector not let go of', error)
    }
    await this.lines.close().catch((error: unknown) => this.warn('lines not closed', error))
    this.done.resolve({ ending, transcript: this.transcript.turns() })
  }

  private warn(message: string, error: unknown): void {
    this.d.log.warn(message, { callId: this.d.brief.callId, reason: reasonOf(error) })
  }
}

/** Without what of it was heard on hold, which nobody said; null when nothing is left. */
function afterHold(event: Heard, hold: Leg['lastHold']): Heard | null {
  const end = hold?.to ?? 0
  if (event.from >= end) return event
  if (event.type === 'speech_paused' && event.to <= end) return null
  return { ...event, from: end }
}

function onVoicemailOf({ voicemail }: Brief): State['onVoicemail'] {
  if (voicemail === null) return 'hangup'
  return typeof voicemail === 'object' ? 'leave' : voicemail
}

function stopReason(reason: unknown): StopReason {
  return reason === 'shutdown' || reason === 'out_of_balance' ? reason : 'canceled'
}
