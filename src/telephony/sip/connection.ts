/** One TCP or TLS connection that carries SIP: framing with its time limits, keep-alive, and a bounded way out. */
import type { Socket } from 'node:net'
import type { Clock } from '../../core/clock.ts'
import type { Ids } from '../../core/ids.ts'
import { type Piece, StreamFramer } from './stream-framer.ts'
import type { Source } from './transport.ts'

/** A message that has begun has to be whole by then: who dribbles holds a place that others need. */
const HEADER_PATIENCE_MS = 10_000
const BODY_PATIENCE_MS = 10_000
/** Who connects to us has something to say. RFC 3261's longest transaction, 64 × T1. */
const FIRST_MESSAGE_MS = 32_000
/** Under the shortest that NATs and firewalls are known to forget after. */
const PING_MS = 20_000
const PING_JITTER_MS = 5_000
/** RFC 5626 §4.4.1. */
const PONG_PATIENCE_MS = 10_000
/** How long what was sent last may take to leave. */
const GOODBYE_MS = 2_000
/** What a peer that does not read may leave unsent. */
const MAX_UNSENT = 1_048_576
/** While a source has used up its rate, its connection is not read. */
const PAUSE_MS = 100

export interface ConnectionEvents {
  onMessage(text: string): void
  onBroken(piece: { head: string; status: 400 | 513 }): void
  /** Once; `reason` is null when we closed it. */
  onClosed(reason: string | null): void
  /** Whether one more message may be read now. */
  mayRead(): boolean
}

interface Deps {
  clock: Clock
  ids: Ids
  /** Connected. */
  socket: Socket
  openedByUs: boolean
  remote: Source
  events: ConnectionEvents
}

export class Connection {
  readonly remote: Source
  readonly openedByUs: boolean
  /** When a message last passed, either way. */
  usedAt: number
  private readonly deps: Deps
  private readonly framer = new StreamFramer()
  private readonly waiting: Piece[] = []
  private closed = false
  /** Only a peer that has answered a ping before is expected to answer the next. */
  private answersPings = false
  private forgetDeadline = (): void => {}
  private deadlineFor: string | null = null
  private forgetPing = (): void => {}
  private forgetPong = (): void => {}
  private forgetPause = (): void => {}

  constructor(deps: Deps) {
    this.deps = deps
    this.remote = deps.remote
    this.openedByUs = deps.openedByUs
    this.usedAt = deps.clock.steady()
    const { socket } = deps
    socket.setNoDelay(true)
    socket.setKeepAlive(true, 30_000)
    socket.on('data', (bytes: Buffer) => this.receive(bytes))
    socket.on('error', (error: Error) => this.end(error.message))
    socket.on('end', () => this.end('the other side closed the connection'))
    socket.on('close', () => this.end('the connection was lost'))
    if (deps.openedByUs) this.pingLater()
    else this.expect('first message', FIRST_MESSAGE_MS)
  }

  get localPort(): number {
    return this.deps.socket.localPort ?? 0
  }

  /** Throws when it is closed, or its peer has long stopped reading. */
  send(text: string): void {
    const { socket, clock } = this.deps
    if (this.closed || socket.destroyed) throw new Error('the connection is closed')
    if (socket.writableLength > MAX_UNSENT) {
      this.end('the other side does not read')
      throw new Error('the other side does not read')
    }
    this.usedAt = clock.steady()
    socket.write(Buffer.from(text, 'latin1'))
  }

  /** Closes it after what was sent has left. */
  finish(): void {
    if (this.closed) return
    this.release()
    const { socket, clock } = this.deps
    const forget = clock.after(GOODBYE_MS, () => socket.destroy())
    socket.once('close', forget)
    socket.end()
    this.deps.events.onClosed(null)
  }

  close(): void {
    this.end(null)
  }

  private end(reason: string | null): void {
    if (this.closed) return
    this.release()
    this.deps.socket.destroy()
    this.deps.events.onClosed(reason)
  }

  private release(): void {
    this.closed = true
    this.forgetDeadline()
    this.forgetPing()
    this.forgetPong()
    this.forgetPause()
    this.waiting.length = 0
  }

  private receive(bytes: Buffer): void {
    if (this.closed) return
    this.forgetPong()
    this.waiting.push(...this.framer.push(bytes))
    this.readOn()
    this.watchFraming()
  }

  private readOn(): void {
    while (this.waiting.length > 0 && !this.closed) {
      const piece = this.waiting[0] as Piece
      // An answer to a keep-alive costs no less than a message that is refused.
      if ((piece.is === 'message' || piece.is === 'ping') && !this.deps.events.mayRead()) {
        this.pause()
        return
      }
      this.waiting.shift()
      this.handle(piece)
    }
  }

  private handle(piece: Piece): void {
    const { clock, events } = this.deps
    if (piece.is === 'ping') this.answerPing()
    else if (piece.is === 'pong') this.answersPings = true
    else if (piece.is === 'broken') events.onBroken(piece)
    else {
      this.usedAt = clock.steady()
      if (this.deadlineFor === 'first message') this.expect(null, 0)
      events.onMessage(piece.text)
    }
  }

  private answerPing(): void {
    try {
      this.send('\r\n')
    } catch {
      // It is closed: there is nobody left to be told.
    }
  }

  /** A stream loses nothing: who sends too fast is read later, not dropped. */
  private pause(): void {
    this.deps.socket.pause()
    this.forgetPause()
    this.forgetPause = this.deps.clock.after(PAUSE_MS, () => {
      this.deps.socket.resume()
      this.readOn()
    })
  }

  private watchFraming(): void {
    const { waitingFor } = this.framer
    if (this.closed || waitingFor === this.deadlineFor) return
    if (waitingFor === 'header') this.expect('header', HEADER_PATIENCE_MS)
    else if (waitingFor === 'body') this.expect('body', BODY_PATIENCE_MS)
    else if (this.deadlineFor !== 'first message') this.expect(null, 0)
  }

  /** `what` has to come within `ms`; null: nothing has to. */
  private expect(what: string | null, ms: number): void {
    this.forgetDeadline()
    this.forgetDeadline = (): void => {}
    this.deadlineFor = what
    if (what === null) return
    this.forgetDeadline = this.deps.clock.after(ms, () =>
      this.end(`no whole ${what} within ${ms / 1_000} s`),
    )
  }

  private pingLater(): void {
    const { clock, ids } = this.deps
    this.forgetPing = clock.after(PING_MS + PING_JITTER_MS * ids.fraction(), () => {
      this.pingLater()
      this.ping()
    })
  }

  private ping(): void {
    try {
      const { usedAt } = this
      this.send('\r\n\r\n')
      this.usedAt = usedAt
    } catch {
      return
    }
    if (!this.answersPings) return
    this.forgetPong()
    this.forgetPong = this.deps.clock.after(PONG_PATIENCE_MS, () =>
      this.end('no answer to a keep-alive'),
    )
  }
}
