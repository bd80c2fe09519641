import type { SpeechEvent } from '../../conversation/ports.ts'
import type { Ring } from '../../core/ring.ts'
import type { Session } from '../onnx/runtime.ts'
import { SpeechRuns } from './detector.ts'
import { Loudness } from './loudness.ts'
import { PureTones } from './pure-tones.ts'
import { runTogether, SILERO_LAG_WINDOWS, SileroStream } from './silero.ts'

export interface ListenerOptions {
  session: Session
  ring: Ring
  /** From where in the ring on, and within which run of speech (null: none). */
  at: number
  speechFrom: number | null
  on(event: SpeechEvent): void
  /** False: the model judges every window, silence too. */
  gated?: boolean
}

/** Hears one ring: how loud it is, which tones are in it, and, window by window, whether the model takes it for speech. */
export class Listener {
  readonly stream: SileroStream
  private readonly ring: Ring
  private readonly on: (event: SpeechEvent) => void
  private readonly gated: boolean
  private readonly runs: SpeechRuns
  private readonly loudness: Loudness
  private readonly tones: PureTones
  /** Where the next window begins. */
  private at: number

  constructor(o: ListenerOptions) {
    const { session, ring, at, speechFrom } = o
    const { rateHz } = ring
    this.ring = ring
    this.at = at
    this.on = o.on
    this.gated = o.gated ?? true
    this.stream = new SileroStream(session, rateHz)
    const { windowSamples } = this.stream
    this.runs = new SpeechRuns({
      windowSamples,
      at,
      speechFrom,
      pauseIfArmed: (from, to) => ring.pauseIfArmed(from, to),
      lagSamples: SILERO_LAG_WINDOWS * windowSamples,
    })
    this.loudness = new Loudness({ rateHz, at })
    this.tones = new PureTones({ rateHz, at })
  }

  /** Hears what is new; true when the stream has a window loaded that the model has to judge: `judge`, and ask again. */
  load(): boolean {
    const { ring, stream } = this
    for (
      let end = this.at + stream.windowSamples;
      end <= ring.written;
      end = this.at + stream.windowSamples
    ) {
      // What a window says and how loud it was are told in the order in which they were heard.
      this.hear(end)
      stream.load(ring.read(this.at, end))
      if (!this.sleeps()) return true
      stream.rest()
      this.judge(0)
    }
    this.hear(ring.written)
    return false
  }

  /** Takes the probability of speech in the loaded window. */
  judge(probability: number): void {
    const loud = this.loudness.loudFor > 0
    this.at += this.stream.windowSamples
    for (const event of this.runs.push(probability, loud)) this.on(event)
  }

  /** A window of silence after silence is not worth a run of the model. */
  private sleeps(): boolean {
    return (
      this.gated &&
      !this.runs.speaking &&
      this.stream.settled &&
      this.loudness.awakeUntil <= this.at
    )
  }

  private hear(to: number): void {
    const { ring, loudness } = this
    const samples = ring.read(loudness.heardTo, to)
    loudness.push(samples)
    for (const event of this.runs.listen(loudness, ring.rateHz)) this.on(event)
    for (const tone of this.tones.push(samples)) this.on({ type: 'tone', ...tone })
  }
}

/** Lets all listeners hear what is new in their rings, their windows judged together. */
export function listenTogether(session: Session, listeners: Iterable<Listener>): void {
  for (let waiting = [...listeners]; waiting.length > 0; ) {
    waiting = waiting.filter((listener) => listener.load())
    for (const rateHz of new Set(waiting.map(({ stream }) => stream.rateHz))) {
      const alike = waiting.filter(({ stream }) => stream.rateHz === rateHz)
      const probabilities = runTogether(
        session,
        alike.map(({ stream }) => stream),
      )
      for (const [n, listener] of alike.entries()) listener.judge(probabilities[n] ?? 0)
    }
  }
}
