/** What a conversation needs from its engines. Implementations live in `inference/`. */
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
}

/** Speech to text. */
export interface Recogniser {
  /** The text of the samples [from, to) of a ring. Rejects with AbortError when `signal` aborts. */
  recognise(o: {
    ears: Ring
    from: number
    to: number
    language: string
    signal: AbortSignal
  }): Promise<Recognition>
  probe(): Promise<Probe>
}

/** Text to speech. */
export interface Voice {
  /** Sound of `text` at `rateHz` in shared memory, clip by clip as it is made. Throws AbortError on abort. */
  speak(o: {
    text: string
    rateHz: number
    signal: AbortSignal
  }): AsyncIterable<Int16Array<SharedArrayBuffer>>
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
}

/** Hears whether somebody has finished speaking, by how it sounds. */
export interface TurnModel {
  /** The chance, 0 to 1, that the speech in the samples [from, to) of a ring is a whole turn. */
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
