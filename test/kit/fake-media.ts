import { Ring } from '../../src/core/ring.ts'
import {
  type Agreement,
  type CodecName,
  type Media,
  type MediaSession,
  type MediaStats,
  NO_STATS,
} from '../../src/telephony/media/media.ts'

/** A media session that moves no sound and remembers what it was told. */
export class FakeMediaSession implements MediaSession {
  readonly localPort: number
  readonly codecs: ReadonlySet<CodecName> = new Set(['PCMU', 'PCMA', 'G722', 'opus'])
  /** The other side presses a key. */
  hearDigit: (digit: string) => void = () => {}
  readonly ears = Ring.create(8_000, 1)
  readonly agreements: Agreement[] = []
  digits = ''
  closed = false
  /** What `stats` tells. */
  figures: MediaStats = NO_STATS
  readonly over: Promise<void>
  private becomeOver: () => void = () => {}
  /** Nothing came for the watchdog's time. */
  fallSilent: () => void = () => {}
  readonly mouth: MediaSession['mouth'] = {
    enqueue: () => ({
      started: Promise.resolve(false),
      ended: Promise.resolve({ heardSamples: 0, whole: false }),
    }),
    stop() {},
    resume() {},
    arm() {},
  }

  constructor(localPort: number) {
    this.localPort = localPort
    this.over = new Promise((done) => {
      this.becomeOver = done
    })
  }

  agree(agreement: Agreement): void {
    this.agreements.push(agreement)
  }

  onDigit(listener: (digit: string) => void): void {
    this.hearDigit = listener
  }

  onSilent(listener: () => void): void {
    this.fallSilent = listener
  }

  async sendDigits(digits: string): Promise<void> {
    this.digits += digits
  }

  stats(): ReturnType<MediaSession['stats']> {
    return this.figures
  }

  close(): void {
    this.closed = true
    this.becomeOver()
  }
}

export class FakeMedia implements Media {
  readonly sessions: FakeMediaSession[] = []
  /** When set, no port is free. */
  exhausted = false

  async open(): Promise<FakeMediaSession> {
    if (this.exhausted) throw new Error('opening media: no RTP port is free')
    const session = new FakeMediaSession(42_000 + 2 * this.sessions.length)
    this.sessions.push(session)
    return session
  }
}
