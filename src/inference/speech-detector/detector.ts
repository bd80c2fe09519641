import type { SpeechEvent } from '../../conversation/ports.ts'
import { toSamples } from '../../core/pcm.ts'

/** A window this likely to hold speech begins a run of speech: the balance point that Silero is trained to. */
export const BEGIN_PROBABILITY = 0.5
/** What is loud besides begins one sooner: the model needs a window or two to be sure of a word's first sound. */
export const LOUD_BEGIN_PROBABILITY = 0.25
/** Within a run a window counts as silence only below this: breath and weak consonants must not tear a word. */
export const END_PROBABILITY = 0.35
/**
 * So many silent windows in a row are a pause: 96 ms at 32 ms a window. The closure of a stop consonant lasts less,
 * and whoever waits for the end of a turn waits on from here.
 */
export const PAUSE_WINDOWS = 3

/** A voice that has been quiet for so long has paused, whatever the model says yet: three packets. */
export const HUSH_MS = 60
/** It is back once it was loud for so long. */
const VOICE_MS = 20

/**
 * Makes runs of speech from the probability of each window: hysteresis, no I/O, no clock. Speech is told with the
 * first window that holds some, so at most two windows (64 ms) after it began.
 */
export class SpeechRuns {
  private readonly windowSamples: number
  private readonly pauseIfArmed: (from: number, to: number) => boolean
  private readonly lagSamples: number
  private at: number
  /** Where the present run began; null in silence. */
  private from: number | null
  private silentWindows = 0
  private bargedIn = false
  /** Where what was told of the present run began: behind its last pause. */
  private toldFrom = 0
  /** The voice has paused within the run, and it was told. */
  private hushed = false

  /**
   * Begins at position `at`, within the run of speech that began at `speechFrom` when that is given.
   * `pauseIfArmed` is the ring's: asked with each window of speech until it pauses our sound, so once a run.
   */
  constructor(o: {
    windowSamples: number
    at: number
    speechFrom: number | null
    pauseIfArmed: (from: number, to: number) => boolean
    /** How long the probability stays high after a voice has ended; 0 when not given. */
    lagSamples?: number
  }) {
    this.windowSamples = o.windowSamples
    this.pauseIfArmed = o.pauseIfArmed
    this.lagSamples = o.lagSamples ?? 0
    this.at = o.at
    this.from = o.speechFrom
    this.toldFrom = o.speechFrom ?? o.at
  }

  /** Within a run of speech. */
  get speaking(): boolean {
    return this.from !== null
  }

  /** Takes the probability of the next window, and whether its end is loud; returns what it changes. */
  push(probability: number, loud = false): SpeechEvent[] {
    const begin = this.at
    this.at += this.windowSamples
    if (this.from === null) {
      if (probability < (loud ? LOUD_BEGIN_PROBABILITY : BEGIN_PROBABILITY)) return []
      this.from = begin
      this.toldFrom = begin
      return [{ type: 'speech_started', from: begin, at: this.at }, ...this.continueRun(begin)]
    }
    if (probability >= END_PROBABILITY) return this.continueRun(this.from)
    this.silentWindows++
    return this.silentWindows < PAUSE_WINDOWS ? [] : this.endRun(this.toldFrom)
  }

  /**
   * Takes how loud it is: within a run of speech a voice that fell silent is a pause before the model knows, and one
   * that is loud again goes on.
   */
  listen(
    loudness: { at: number; quietFrom: number; quietFor: number; loudFor: number },
    rateHz: number,
  ): SpeechEvent[] {
    const { at, quietFrom } = loudness
    if (this.from === null) return []
    if (this.hushed) {
      if (loudness.loudFor < toSamples(VOICE_MS, rateHz) || this.silentWindows > 0) return []
      this.hushed = false
      this.toldFrom = at - loudness.loudFor
      return [{ type: 'speech_started', from: this.toldFrom, at }]
    }
    if (loudness.quietFor < toSamples(HUSH_MS, rateHz) || quietFrom <= this.toldFrom) return []
    this.hushed = true
    this.bargedIn = false
    return [{ type: 'speech_paused', from: this.toldFrom, to: at, ended: quietFrom, at }]
  }

  private continueRun(from: number): SpeechEvent[] {
    this.silentWindows = 0
    if (this.bargedIn || this.hushed || !this.pauseIfArmed(from, this.at)) return []
    this.bargedIn = true
    return [{ type: 'barge_in', from: this.toldFrom, at: this.at }]
  }

  private endRun(from: number): SpeechEvent[] {
    const to = this.at - this.silentWindows * this.windowSamples
    this.from = null
    this.silentWindows = 0
    this.bargedIn = false
    const ended = Math.max(from, to - this.lagSamples)
    const told = this.hushed
    this.hushed = false
    if (told) return []
    return [{ type: 'speech_paused', from, to, ended, at: this.at }]
  }
}
