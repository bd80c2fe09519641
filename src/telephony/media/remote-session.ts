import type { Mouth, Playback } from '../../calls/ports.ts'
import { TELEPHONE_RATE_HZ } from '../../core/pcm.ts'
import { Ring } from '../../core/ring.ts'
import { FORMATS } from '../codecs/formats.ts'
import { isDigits } from '../rtp/dtmf.ts'
import {
  type Agreement,
  type CodecName,
  type MediaSession,
  type MediaStats,
  NO_STATS,
} from './media.ts'
import type { FromWorker, ToWorker } from './messages.ts'
import type { WireLog } from './wire-log.ts'

/** The ring keeps the last minute: longer than any utterance that is recognised in one piece. */
const EARS_SECONDS = 60
const MAX_DIGITS = 256

type Ended = { heardSamples: number; whole: boolean }

interface Waiting {
  length: number
  start(really: boolean): void
  end(ended: Ended): void
}

/** A session of the media worker, seen from the main thread. */
export class RemoteSession implements MediaSession {
  readonly mouth: Mouth
  readonly wire: WireLog | null
  readonly over: Promise<void>
  localPort = 0
  codecs: ReadonlySet<CodecName> = new Set()
  private readonly id: string
  private readonly post: (message: ToWorker) => void
  private ring: Ring | undefined
  private isSilent = false
  private tellSilent: () => void = () => undefined
  private becomeOver: () => void = () => undefined
  private readonly playbacks = new Map<number, Waiting>()
  private readonly presses = new Map<number, () => void>()
  private nextClip = 1
  private nextPress = 1
  /** Samples heard of the clips that have ended. */
  private heardBefore = 0
  private closed = false
  private told: MediaStats = NO_STATS
  private hearDigit: (digit: string) => void = () => undefined

  constructor(id: string, post: (message: ToWorker) => void, wire: WireLog | null = null) {
    this.id = id
    this.wire = wire
    this.post = post
    this.over = new Promise((done) => {
      this.becomeOver = done
    })
    this.mouth = {
      enqueue: (clip) => this.enqueue(clip),
      stop: () => this.tell({ type: 'stop', session: id }),
      resume: () => this.ring?.resume(),
      arm: (rule) => this.ring?.arm(rule),
    }
  }

  get ears(): Ring {
    this.ring ??= Ring.create(TELEPHONE_RATE_HZ, EARS_SECONDS)
    return this.ring
  }

  agree(agreement: Agreement): void {
    this.ring ??= Ring.create(FORMATS[agreement.codec].rateHz, EARS_SECONDS)
    this.tell({ type: 'agree', session: this.id, agreement, ears: this.ring.buffer })
  }

  onSilent(listener: () => void): void {
    this.tellSilent = listener
    if (this.isSilent) queueMicrotask(listener)
  }

  sendDigits(digits: string): Promise<void> {
    if (!isDigits(digits) || digits.length > MAX_DIGITS)
      return Promise.reject(
        new Error(
          `pressing keys: only 0-9 * # A-D and w (wait), at most ${MAX_DIGITS}, can be pressed`,
        ),
      )
    if (this.closed) return Promise.resolve()
    const press = this.nextPress++
    return new Promise((done) => {
      this.presses.set(press, done)
      this.tell({ type: 'press', session: this.id, press, digits })
    })
  }

  onDigit(listener: (digit: string) => void): void {
    this.hearDigit = listener
  }

  stats(): MediaStats {
    return this.told
  }

  close(): void {
    this.tell({ type: 'close', session: this.id })
    this.settle()
  }

  /** The worker no longer carries this session: it will never hear anything again. */
  fail(): void {
    this.settle()
    this.becomeSilent()
    this.becomeOver()
  }

  /** Closes it; nobody waits for what the worker still has to say. */
  abandon(): void {
    this.close()
    this.becomeOver()
  }

  /** Takes what the worker says of this session. */
  take(message: FromWorker): void {
    switch (message.type) {
      case 'opened':
        this.localPort = message.port
        this.codecs = new Set(message.codecs)
        break
      case 'digit':
        this.hearDigit(message.digit)
        break
      case 'started':
        this.playbacks.get(message.clip)?.start(true)
        break
      case 'ended':
        this.finish(message.clip, message)
        break
      case 'pressed':
        this.presses.get(message.press)?.()
        this.presses.delete(message.press)
        break
      case 'silent':
        this.becomeSilent()
        break
      case 'stats':
      case 'closed':
        this.told = message.stats
        if (message.type === 'closed') this.becomeOver()
    }
  }

  private becomeSilent(): void {
    this.isSilent = true
    this.tellSilent()
  }

  private enqueue(samples: Int16Array<SharedArrayBuffer>): Playback {
    if (this.closed)
      return {
        started: Promise.resolve(false),
        ended: Promise.resolve({ heardSamples: 0, whole: false }),
      }
    const clip = this.nextClip++
    const started = Promise.withResolvers<boolean>()
    const ended = Promise.withResolvers<Ended>()
    this.playbacks.set(clip, {
      length: samples.length,
      start: started.resolve,
      end: ended.resolve,
    })
    this.tell({ type: 'enqueue', session: this.id, clip, samples })
    return { started: started.promise, ended: ended.promise }
  }

  private finish(clip: number, { heardSamples, whole }: Ended): void {
    const playback = this.playbacks.get(clip)
    if (!playback) return
    this.playbacks.delete(clip)
    this.heardBefore += heardSamples
    // After `started` was told with true this changes nothing.
    playback.start(heardSamples > 0)
    playback.end({ heardSamples, whole })
  }

  /** Ends what waits, without the worker: clips leave in order, so the ring's count tells how much of each was heard. */
  private settle(): void {
    this.closed = true
    let left = (this.ring?.heard ?? 0) - this.heardBefore
    for (const [clip, { length }] of [...this.playbacks]) {
      const heardSamples = Math.max(0, Math.min(length, left))
      left -= heardSamples
      this.finish(clip, { heardSamples, whole: heardSamples === length })
    }
    for (const done of this.presses.values()) done()
    this.presses.clear()
  }

  private tell(message: ToWorker): void {
    if (!this.closed) this.post(message)
  }
}
