/** What a conversation knows, what happens to it, and what it may do: the vocabulary of `decide`. */
import type { LegEnd, StopReason, Talk, TransferOutcome } from '../calls/ports.ts'
import type { BargeInRule } from '../core/ring.ts'
import type { Asked } from './asked.ts'
import { durationLimits } from './limits.ts'
import type { Recognition } from './ports.ts'
import type { LineName } from './stock-lines.ts'
import type { ToolCall } from './tools.ts'
import type { Stops } from './turn-detector.ts'

export type EndingReason = Talk['ending']

/** What the human is saying, or has said and may go on saying: not a turn before it is committed. */
export interface Utterance {
  /** Position of its first sample. */
  from: number
  /** Position of its end so far; null while the human speaks. */
  to: number | null
  /** When it began, and when it ended so far, ms. */
  since: number
  until: number
  /** It paused the agent's sound. */
  bargedIn: boolean
  /** What was said so far, while it goes on into the agent's words; null until known. */
  soFar: string | null
  /** The draft that recognises it and, when `answers`, prepares the reply to it. */
  draft: number | null
  answers: boolean
  /** The draft's reply failed: a new one is asked for when the turn is committed. */
  broken: boolean
  /** It goes on with the turn committed last, to which no answer was heard yet. */
  continues: boolean
  /** null until recognised. */
  text: string | null
  /** Its text at the pause before. */
  textBefore: string | null
  /** The recogniser is not sure of the text. */
  unsure: boolean
  /** Chance that it is a whole turn, by how it sounded; null until told. */
  chance: number | null
  /** When it becomes a turn; waits for the text too. null while the human speaks. */
  commitAt: number | null
  /** When a filler covers a slow recogniser. */
  fillerAt: number | null
  /** When it is taken as a turn although the human never paused, and whether it was. */
  stallAt: number
  stalled: boolean
}

/** What the agent is about to say, or says, as its turn. */
export interface Answer {
  id: number
  source: 'model' | 'first_message'
  /** `held`: prepared in silence. `released`: sounds as soon as it can. */
  phase: 'held' | 'released' | 'sounding'
  /** Told to the model with the request: why it has to speak when the human did not. */
  note: string | null
  /** Human speech does not stop it. */
  guarded: boolean
  retried: boolean
  fillersLeft: number
  fillerAt: number | null
  giveUpAt: number | null
}

/** The human is being handed over to somebody else. */
export interface Handover {
  /** The answer whose tool asked for it. */
  id: number
  call: ToolCall
  /** When it has failed, whatever else is heard of it. */
  until: number
}

/** A voicemail is listened to until it beeps. */
export interface Voicemail {
  /** The line of the message that is to be left. */
  line: number
  since: number
  /** When the message is spoken; null until it beeped. */
  speakAt: number | null
}

export interface Ending {
  reason: EndingReason
  /** The last sentence's line; we hang up when it has ended. */
  line: number | null
  hangupAt: number
  hungUp: boolean
  /** Set once the leg has ended: only the text of what was said last is still waited for. */
  over: boolean
}

export interface State {
  readonly answeredAt: number
  readonly goodbyeAt: number
  readonly endAt: number
  readonly hasFirstMessage: boolean
  /** We were called: whoever answers the phone speaks first. */
  readonly weAnswer: boolean
  readonly rule: BargeInRule
  readonly llmTimeoutMs: number
  /** Whom the human may be handed over to; null: nobody. */
  readonly transferTo: string | null
  /** Whether the model may schedule another call to the same number. */
  readonly callBacks: boolean
  /** What is done when a voicemail answers. */
  readonly onVoicemail: 'hangup' | 'continue' | 'leave'
  /** Ids of lines and drafts count from 1. */
  nextId: number
  held: boolean
  checkedAt: number
  /** When the agent opens by itself; null when somebody has spoken. */
  openAt: number | null
  utterance: Utterance | null
  answer: Answer | null
  handover: Handover | null
  voicemail: Voicemail | null
  /** Keys that the human has pressed, until they are taken as a turn. */
  keys: { digits: string; dueAt: number } | null
  /** Until when silence is no reason to ask: somebody asked for a moment, or the agent chose to wait. */
  waiting: number | null
  /** How often the human has had the word. */
  humanTurns: number
  /** The longest stretch that the human spoke, ms. */
  spokenMs: number
  /** The line beside the answer (a filler, a question whether somebody is there) that is on its way. */
  aside: number | null
  /** When the human's speech paused what the agent says; null while nothing is paused. */
  pausedAt: number | null
  /** The agent's last reply did not get to its end, and nothing was said since. */
  cutOff: boolean
  resumes: number
  /** What the human said last, while no answer to it was heard. */
  lastSaid: { text: string; until: number } | null
  /** What the agent's last words asked for. */
  asked: Asked
  /** How the recogniser uses full stops. */
  stops: Stops
  /** How long the human paused within what they said, ms, the newest last. */
  pauses: readonly number[]
  /** How often the human went on with a turn that was taken for finished. */
  hasty: number
  /** Since when neither side has said anything. */
  quietSince: number
  asks: number
  fillers: number
  recogniserFailures: number
  answerFailures: number
  ending: Ending | null
}

export type FailedStage = 'recogniser' | 'model' | 'voice' | 'empty'

/** Ids name drafts and lines; times are ms. */
export type Event =
  | { type: 'answered' }
  | { type: 'speech_started'; from: number; since: number }
  | { type: 'barge_in'; from: number; since: number }
  | {
      type: 'speech_paused'
      from: number
      to: number
      since: number
      until: number
    }
  /** A pure tone of `hz` that lasted for `ms` is over, and silence follows. */
  | { type: 'tone'; hz: number; ms: number }
  /** The human pressed a key. */
  | { type: 'key'; digit: string }
  /** What the human has said so far, who goes on. */
  | { type: 'partial'; text: string }
  | ({ type: 'recognised'; id: number } & Recognition)
  /** How a draft's speech sounded: the chance, 0 to 1, that it is a whole turn. */
  | { type: 'judged'; id: number; chance: number }
  | { type: 'failed'; id: number; stage: FailedStage; reason: string }
  | { type: 'tool'; id: number; call: ToolCall }
  /** The first sample of a line left. */
  | { type: 'sounding'; id: number }
  /** A line ended: `text` of it was heard, `whole` when that is all of it. */
  | { type: 'finished'; id: number; whole: boolean; text: string }
  /** `position` is where in the ring the hold began or ended. */
  | { type: 'hold'; held: boolean; position: number }
  /** What was to be said before a transfer was heard: the human is being handed over. */
  | { type: 'transferring'; id: number; call: ToolCall }
  | { type: 'transferred'; id: number; outcome: TransferOutcome }
  | { type: 'stop'; reason: StopReason }
  | { type: 'leg_ended'; end: LegEnd }
  /** Speech cannot be detected. */
  | { type: 'deaf' }
  /** A time that `due` named has come; `position` is how far the ring is written. */
  | { type: 'due'; position: number }

export type Action =
  | { type: 'become'; patch: Partial<State> }
  /**
   * Recognise [from, to) and, when `answers`, prepare the reply to it, held. `continues`: it goes on with the turn
   * committed last.
   */
  | { type: 'draft'; id: number; from: number; to: number; answers: boolean; continues: boolean }
  /** Prepare a reply to all that was said, held; `note` is added for the model. */
  | { type: 'reply'; id: number; note: string | null }
  /** Speak the brief's first message, held. */
  | { type: 'first_message'; id: number }
  /** Make the message for a voicemail ready, held. */
  | { type: 'leave_message'; id: number }
  /** Speak a stock line at once. */
  | { type: 'say'; id: number; line: LineName }
  /** Lets a held line sound. */
  | { type: 'release'; id: number }
  /** Takes back a line that does not sound yet. */
  | { type: 'hold_back'; id: number }
  /** Ends a draft or a line for good. */
  | { type: 'drop'; id: number }
  | { type: 'stop_mouth' }
  /** What human speech has paused goes on. */
  | { type: 'resume_mouth' }
  | { type: 'arm'; rule: BargeInRule | null }
  /** The human's turn is committed: its text, when it began and ended, and the draft that recognised it. */
  | {
      type: 'human_said'
      text: string
      at: number
      until: number
      id: number | null
      continues: boolean
    }
  /** A tool call takes effect. */
  | { type: 'tool_used'; call: ToolCall }
  /** The tool's answer to the model; null ends the reply there. */
  | { type: 'answer_tool'; id: number; call: ToolCall; result: string | null }
  /** The same, and that is the end of the reply: the model sees the result with its next request. */
  | { type: 'tool_done'; id: number; call: ToolCall; result: string }
  /** Schedule another call to the same number, for `when` as the model wrote it. */
  | { type: 'call_back'; id: number; call: ToolCall; when: string }
  | { type: 'press'; id: number; call: ToolCall; digits: string }
  /** Hand the human over, once what is said before it was heard. */
  | { type: 'transfer'; id: number; call: ToolCall; number: string }
  /** They were handed over. */
  | { type: 'handed_over' }
  | { type: 'hang_up' }
  | { type: 'close'; reason: EndingReason }

/** One kind of moment of a conversation. Pure: what it wants is in the actions, changes of state included. */
export interface Situation {
  /** What to do about `event`; null when it is none of this situation's business. */
  decide(state: State, event: Event, now: number): Action[] | null
  /** The next time at which this situation wants a `due`; Infinity when it waits for nothing. */
  due(state: State): number
}

export function initialState(o: {
  answeredAt: number
  maxDurationSeconds: number
  hasFirstMessage: boolean
  /** Left out: no. */
  weAnswer?: boolean
  rule: BargeInRule
  llmTimeoutMs: number
  transferTo: string | null
  callBacks: boolean
  onVoicemail: State['onVoicemail']
  held: boolean
}): State {
  const { maxDurationSeconds, ...rest } = o
  return {
    weAnswer: false,
    ...rest,
    ...durationLimits(o.answeredAt, maxDurationSeconds),
    nextId: 1,
    checkedAt: o.answeredAt,
    openAt: null,
    utterance: null,
    answer: null,
    handover: null,
    voicemail: null,
    keys: null,
    waiting: null,
    humanTurns: 0,
    spokenMs: 0,
    aside: null,
    pausedAt: null,
    cutOff: false,
    resumes: 0,
    lastSaid: null,
    asked: 'nothing',
    stops: 'unknown',
    pauses: [],
    hasty: 0,
    quietSince: o.answeredAt,
    asks: 0,
    fillers: 0,
    recogniserFailures: 0,
    answerFailures: 0,
    ending: null,
  }
}

export function become(patch: Partial<State>): Action {
  return { type: 'become', patch }
}

/** The state after the changes that `actions` ask for. */
export function changed(state: State, actions: readonly Action[]): State {
  const result = { ...state }
  for (const action of actions) if (action.type === 'become') Object.assign(result, action.patch)
  return result
}
