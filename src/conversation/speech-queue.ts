/** What the agent says, line by line: held or released, and how much of it was heard. */
import type { Mouth, Playback } from '../calls/ports.ts'
import type { Clip } from './recital.ts'

export type SpeechNews =
  /** The first sample of a line left; `text` is its first piece. */
  | { type: 'sounding'; id: number; text: string }
  /** Its next piece began; `text` is all of it so far. */
  | { type: 'progress'; id: number; text: string }
  /** Nothing of it will be heard any more; `text` is what was. */
  | { type: 'finished'; id: number; text: string; whole: boolean }

/** One line of speech: pieces of text, each followed by its sound. */
export interface Line {
  readonly id: number
  readonly started: boolean
  /** Whether no text was added yet. */
  readonly empty: boolean
  /** Begins a piece of text. Its clips follow by `sound`, then `done`. */
  add(text: string): void
  sound(clip: Clip): void
  done(): void
  /** Nothing more comes. */
  end(): void
  /** Lets it sound, behind what sounds already. */
  release(): void
  /** Takes back what has not begun to sound. */
  holdBack(): void
  /** Ends it for good; what of it is in the mouth is stopped. */
  drop(): void
  /** Resolves when all that was added was heard, or the line has ended. */
  drained(): Promise<void>
  /** Ends it with what is known to have been heard, when the mouth does not tell any more. */
  abandon(): void
}

interface Piece {
  text: string
  samples: number
  heard: number
  done: boolean
}

interface Item {
  piece: number
  clip: Clip
  state: 'unsent' | 'sent' | 'over'
}

/** Samples of one character where a piece's length is not known yet: about 15 characters a second. */
const CHARS_PER_SECOND = 15

export interface SpeechQueue {
  open(id: number): Line
  stop(): void
}

export function createSpeechQueue(o: {
  mouth: Mouth
  rateHz: number
  on(news: SpeechNews): void
}): SpeechQueue {
  return {
    open: (id) => new SpokenLine(id, o),
    stop: () => o.mouth.stop(),
  }
}

class SpokenLine implements Line {
  readonly id: number
  private readonly mouth: Mouth
  private readonly rateHz: number
  private readonly on: (news: SpeechNews) => void
  private readonly pieces: Piece[] = []
  private readonly items: Item[] = []
  private waiters: (() => void)[] = []
  private open = false
  private ended = false
  private dropped = false
  private finished = false
  /** Clips in the mouth. */
  private pending = 0
  /** The last piece that began to sound. */
  private reached = -1

  constructor(id: number, o: { mouth: Mouth; rateHz: number; on(news: SpeechNews): void }) {
    this.id = id
    this.mouth = o.mouth
    this.rateHz = o.rateHz
    this.on = o.on
  }

  get started(): boolean {
    return this.reached >= 0
  }

  get empty(): boolean {
    return this.pieces.length === 0
  }

  add(text: string): void {
    this.pieces.push({ text, samples: 0, heard: 0, done: false })
  }

  sound(clip: Clip): void {
    const piece = this.pieces.at(-1)
    if (!piece || this.dropped || clip.length === 0) return
    piece.samples += clip.length
    const item: Item = { piece: this.pieces.length - 1, clip, state: 'unsent' }
    this.items.push(item)
    if (this.open) this.send(item)
  }

  done(): void {
    const piece = this.pieces.at(-1)
    if (piece) piece.done = true
  }

  end(): void {
    this.ended = true
    this.settle()
  }

  release(): void {
    if (this.dropped) return
    this.open = true
    for (const item of this.items) if (item.state === 'unsent') this.send(item)
    this.settle()
  }

  holdBack(): void {
    if (this.started || this.dropped) return
    this.open = false
    if (this.pending > 0) this.mouth.stop()
  }

  drop(): void {
    if (this.dropped) return
    this.dropped = true
    if (this.pending > 0) this.mouth.stop()
    this.settle()
  }

  drained(): Promise<void> {
    if (this.isDrained()) return Promise.resolve()
    return new Promise((done) => this.waiters.push(done))
  }

  abandon(): void {
    this.dropped = true
    this.pending = 0
    this.settle()
  }

  private send(item: Item): void {
    item.state = 'sent'
    this.pending++
    const playback: Playback = this.mouth.enqueue(item.clip)
    void playback.started.then((began) => {
      if (began) this.reach(item)
    })
    void playback.ended.then((end) => this.over(item, end))
  }

  private reach(item: Item): void {
    if (item.piece <= this.reached || this.finished) return
    const type = this.started ? 'progress' : 'sounding'
    this.reached = item.piece
    this.on({ type, id: this.id, text: this.textUpTo(item.piece) })
  }

  private over(item: Item, end: { heardSamples: number; whole: boolean }): void {
    this.pending = Math.max(0, this.pending - 1)
    if (end.heardSamples > 0) this.reach(item)
    const piece = this.pieces[item.piece]
    if (piece) piece.heard += end.whole ? item.clip.length : end.heardSamples
    if (end.whole || this.started || this.dropped) item.state = 'over'
    else {
      // Taken out of the mouth before its turn came: it waits for the next release.
      item.state = 'unsent'
      this.open = false
    }
    if (!end.whole && item.state === 'over') this.dropped = true
    this.settle()
  }

  private settle(): void {
    if (this.isDrained()) {
      for (const wake of this.waiters) wake()
      this.waiters = []
    }
    if (this.finished || this.pending > 0) return
    const complete = this.open && this.ended && this.items.every((item) => item.state === 'over')
    if (!this.dropped && !complete) return
    this.finished = true
    const whole = !this.dropped && this.pieces.every((piece) => piece.done)
    this.on({ type: 'finished', id: this.id, text: this.heardText(), whole })
  }

  private isDrained(): boolean {
    if (this.pending > 0) return false
    return this.dropped || this.items.every((item) => item.state === 'over')
  }

  private textUpTo(last: number): string {
    return this.pieces
      .slice(0, last + 1)
      .filter((piece) => piece.samples > 0)
      .map((piece) => piece.text)
      .join(' ')
  }

  /** What was heard, up to the last whole word by the share of the samples that left. */
  private heardText(): string {
    const heard: string[] = []
    for (const piece of this.pieces) {
      if (piece.done && piece.samples === 0) continue
      const guess = Math.round((piece.text.length * this.rateHz) / CHARS_PER_SECOND)
      const samples = piece.done ? piece.samples : Math.max(piece.samples, guess)
      if (piece.heard > 0 && piece.heard >= samples) {
        heard.push(piece.text)
        continue
      }
      const text = wholeWords(piece.text, samples === 0 ? 0 : piece.heard / samples)
      if (text !== '') heard.push(text)
      break
    }
    return heard.join(' ')
  }
}

/** The words of `text` that lie wholly within its first `share`. */
export function wholeWords(text: string, share: number): string {
  const length = Math.floor(text.length * Math.min(1, share))
  if (length >= text.length) return text
  const head = text.slice(0, length)
  if (/\s/.test(text[length] ?? '')) return head.trimEnd()
  return head.slice(0, Math.max(0, head.search(/\s\S*$/)))
}
