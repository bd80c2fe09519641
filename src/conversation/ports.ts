/** What a conversation needs from its engines. Implementations live in `inference/`. */
import type { InstalledVoice } from '../calls/voice-choice.ts'
import type { Probe } from '../core/probe.ts'
import type { Ring } from '../core/ring.ts'

/** Positions are samples in the leg's ring. */
export type SpeechEvent =
  /** Speech began, before the armed rule could pause our sound by it; or it went on after a pause. */
  | { type: 'speech_started'; from: number; at: number }
  /** The armed rule paused our sound: the speech since `from` was long enough. */
  | { type: 'barge_in'; from: number; at: number }
  /**
   * Speech from `from` to `to` is followed by silence up to `at` (the detection delay). The voice is taken to have ended
   * at `ended`: at `to`, or before it where the detector is known to lag.
   */
  | { type: 'speech_paused'; from: number; to: number; ended: number; at: number }
  /** A pure tone of `hz` sounded from `from` to `to`, and silence followed it. */
  | { type: 'tone'; from: number; to: number; hz: number; at: number }

/** Tells speech from silence on a leg, off the main thread, and pauses our sound by the armed rule. */
export interface SpeechDetector {
  /** Listens to a ring until the returned function is called. */
  watch(ears: Ring, on: (event: SpeechEvent) => void): () => void
  probe(): Promise<Probe>
}

export interface Recognition {
  text: string
  /** Chance that there was no speech at all, 0 to 1, where the engine tells. */
  noSpeech: number
  /** Mean log probability of what was written, where the engine tells: near 0 it is sure of its words. */
  logProbability?: number
}

/** Speech to text. */
export interface Recogniser {
  /**
   * The text of the samples [from, to) of a ring. Rejects with AbortError when `signal` aborts, and a partial one when a
   * later request for the same ears overtakes it.
   */
  recognise(o: {
    ears: Ring
    from: number
    to: number
    /** BCP 47; left out, an engine that knows several guesses. One that it does not know is no error. */
    language?: string
    /** Text that goes before, in words to be expected (names, products); engines without a place for it pass it over. */
    prompt?: string
    /** The text so far of speech that goes on: it gives way to all that are not. */
    partial?: boolean
    signal: AbortSignal
  }): Promise<Recognition>
  probe(): Promise<Probe>
}

/** Text to speech. */
export interface Voice {
  /**
   * Sound of `text` at `rateHz` in shared memory, clip by clip as it is made. Throws AbortError on abort, an Error of
   * one sentence when the engine cannot speak it.
   */
  speak(o: {
    text: string
    rateHz: number
    /** One of `voices`; absent: the first. */
    voice?: string
    /** BCP 47 tag of the text; absent: what the voice speaks. */
    language?: string
    /** Nobody waits for it: what is wanted sooner goes first. */
    ahead?: boolean
    signal: AbortSignal
  }): AsyncIterable<Int16Array<SharedArrayBuffer>>
  /** What it can speak with now; the first is the one that speaks unless another is asked for. Never throws. */
  voices(): readonly InstalledVoice[]
  probe(): Promise<Probe>
}

export interface Message {
  role: 'system' | 'user' | 'assistant' | 'tool'
  content: string
  toolCalls?: { name: string; arguments: Record<string, unknown> }[]
  /** Of a `tool` message: which tool answered. */
  toolName?: string
}

export interface Tool {
  name: string
  description: string
  /** JSON Schema of the arguments. */
  parameters: Record<string, unknown>
}

export type Delta =
  | { type: 'text'; text: string }
  | { type: 'tool'; name: string; arguments: Record<string, unknown> }

/** A language model. */
export interface LanguageModel {
  /** Streams one reply. Throws AbortError on abort, an Error with a readable message when the engine fails. */
  reply(o: {
    messages: readonly Message[]
    tools: readonly Tool[]
    maxTokens: number
    /** JSON Schema that the reply is to be JSON by. Servers that cannot hold a model to it are asked without. */
    schema?: Readonly<Record<string, unknown>>
    signal: AbortSignal
  }): AsyncIterable<Delta>
  /** Loads the model and reads the prompt ahead of the first turn; errors are ignored by the caller. */
  warmUp(o: {
    messages: readonly Message[]
    /** As in the turns to come: they are part of the prompt that is read ahead. */
    tools: readonly Tool[]
    signal: AbortSignal
  }): Promise<void>
  probe(): Promise<Probe>
  /**
   * Whether two requests are answered at once, found out by trying, which costs a few tokens and seconds; null where
   * that is no question. For `doctor`.
   */
  probeAtOnce?(): Promise<Probe>
}

/** Hears whether somebody has finished speaking, by how it sounds. */
export interface TurnModel {
  /**
   * The chance, 0 to 1, that the speech in the samples [from, to) of a ring is a whole turn. Nobody waits for it: it
   * counts as long as the turn is open and nothing more was said. Rejects when it cannot tell, having logged why.
   */
  judge(o: { ears: Ring; from: number; to: number }): Promise<number>
  probe(): Promise<Probe>
}

export interface Engines {
  speech: SpeechDetector
  recogniser: Recogniser
  voice: Voice
  model: LanguageModel
  /** Without one the text alone decides. */
  turns?: TurnModel
}
