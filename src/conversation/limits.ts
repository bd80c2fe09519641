/** Every number by which a conversation is paced, in ms unless its name says otherwise. */
import { toSamples } from '../core/pcm.ts'
import type { BargeInRule } from '../core/ring.ts'

/** An utterance begun this soon after the answer is likely a "Hello?" … */
const GRACE_MS = 2000
/** … and pauses the agent only when it lasts this long. */
const GRACE_SPEECH_MS = 1000
/**
 * Human speech of this length pauses the agent: told in windows of 32 ms, it is on the wire a tenth of a second after
 * the first packet of it.
 */
const PAUSE_MS = 64
/** Speech up to this length was a sign of listening, unless its text says otherwise. */
export const BACKCHANNEL_MS = 600
/** So long after such speech the agent goes on, whether its text is there or not. */
export const RESUME_MS = 240
/** Speech of this length is no sign of listening, unless its text so far is a row of them … */
export const INTERRUPTION_MS = 1200
/** … and at this length whatever it says. */
export const LONGEST_SIGNS_MS = 2500
/** Longer speech of which no text comes in this time was an interruption. */
export const UNDECIDED_MS = 1500

/** Without a first message the human may speak first for this long. */
export const OPENING_WAIT_MS = 2000
/** No sound of the reply this long after the turn's end: a filler. */
export const FILLER_MS = 1500
/** Still none: another. */
export const SECOND_FILLER_MS = 5000
/** Both sides quiet for this long: the agent asks. */
export const SILENCE_MS = 10_000
/** How often it asks before it says goodbye. */
export const SILENCE_ASKS = 2
/** Speech without a pause is taken as a turn after this long: music never pauses, and recognisers take 30 s. */
export const STALL_MS = 28_000
/** Speech this soon after a turn goes on with it, as long as no answer was heard. */
export const JOIN_MS = 3000
/** A voicemail greets within the first turns … */
export const GREETING_TURNS = 3
/** … and so soon after the answer. */
export const GREETING_UNTIL_MS = 60_000
/** Somebody spoke for so long before a beep: that was a greeting. */
export const GREETING_MS = 2500
/** From the end of the beep to our message. */
export const BEEP_GAP_MS = 300
/** Without a beep the message is spoken after so much silence … */
export const NO_BEEP_MS = 4000
/** … and after this long whatever is heard. */
export const LEAVE_WITHIN_MS = 90_000
/** The longest message: a thousand characters, spoken slowly. */
export const MESSAGE_MS = 120_000
/** The whole of a menu was heard when nothing came for so long: between two choices it is less. */
export const MENU_MS = 2000
/** So long after the last key the human has pressed all of them. */
export const KEYS_MS = 1500
export const MAX_KEYS = 32
/** A speech-to-text or text-to-speech engine that gives nothing for this long has failed. */
export const ENGINE_TIMEOUT_MS = 10_000
/** The polite sentence of a shutdown or an empty balance may last this long. */
export const FAREWELL_MS = 4000
/** Any other last sentence. */
export const LAST_WORDS_MS = 30_000
/** After a hang-up, how long its confirmation is waited for. */
export const HANGUP_MS = 5000
/** After the leg's end, how long the text of what was said last is waited for. */
export const LAST_TEXT_MS = 3000
/** How often `leg.held` is looked at while we speak, are about to, or are held. */
export const HOLD_CHECK_MS = 250
/** After a noise cut it off, the agent takes its reply up again this often before it only listens. */
export const MAX_RESUMES = 3
/** A transfer is decided within a minute and a half by the leg; after this long it has failed, whatever the leg does. */
export const TRANSFER_MS = 120_000
/** How often in one turn the model may call tools. */
export const MAX_TOOL_ROUNDS = 4
export const MAX_REPLY_TOKENS = 300
/** A reply longer than this is ended there: nobody listens to two minutes on the phone. */
export const MAX_REPLY_CHARS = 1500
export const SUMMARY_MS = 8000
/** The result of a call, both tries together. */
export const RESULT_MS = 25_000

/** The rule that the speech detector holds human speech to while the agent speaks. */
export function bargeInRule(rateHz: number): BargeInRule {
  return {
    minSpeech: toSamples(PAUSE_MS, rateHz),
    graceUntil: toSamples(GRACE_MS, rateHz),
    graceMinSpeech: toSamples(GRACE_SPEECH_MS, rateHz),
  }
}

/** When a call answered at `answeredAt` says goodbye and when it is cut, so that it never outlasts its maximum. */
export function durationLimits(
  answeredAt: number,
  maxDurationSeconds: number,
): { goodbyeAt: number; endAt: number } {
  const endAt = answeredAt + maxDurationSeconds * 1000
  const lead = Math.min(8000, Math.max(3000, maxDurationSeconds * 100))
  return { goodbyeAt: endAt - lead, endAt }
}
