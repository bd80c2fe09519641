/** The media worker's entry point: two sockets a call, one timer for all calls, sound between rings and wire. */
import { parentPort } from 'node:worker_threads'
import { reasonOf } from '../../core/errors.ts'
import { Ring } from '../../core/ring.ts'
import { type Codecs, createCodecs } from '../codecs/codec.ts'
import { openOpus } from '../codecs/opus.ts'
import { RtpSession } from '../rtp/session.ts'
import { sendDatagram } from '../send-datagram.ts'
import { bindEvenPort } from './bind-port.ts'
import { Lateness } from './lateness.ts'
import { type MediaStats, NO_STATS } from './media.ts'
import type { FromWorker, ToWorker } from './messages.ts'
import { Schedule } from './schedule.ts'
import { preferThisThread } from './thread-priority.ts'
import { WireLog } from './wire-log.ts'

type Open = Extract<ToWorker, { type: 'open' }>
type Begin = Extract<ToWorker, { type: 'begin' }>
type OfSession = Exclude<ToWorker, Open | Begin | { type: 'end' }>
type Socket = Bun.udp.Socket<'buffer'>
type Receive = (datagram: Uint8Array, port: number, host: string) => void

/** Timers fire up to a millisecond early or late; a packet due within it goes now. */
const SLACK_MS = 1
const STATS_EVERY_MS = 1000

const lines = new Map<string, Line>()
const schedule = new Schedule<Line>()
let codecs: Codecs = new Map()
let lateness = new Lateness()
let timer: ReturnType<typeof setTimeout> | undefined

function tell(message: FromWorker): void {
  parentPort?.postMessage(message)
}

parentPort?.on('message', (message: ToWorker) => {
  switch (message.type) {
    case 'begin':
      begin(message)
      break
    case 'open':
      open(message).catch((error) => {
        tell({ type: 'refused', session: message.session, reason: reasonOf(error) })
      })
      break
    case 'end':
      process.exit(0)
      break
    default:
      lines.get(message.session)?.handle(message)
  }
})

function begin({ opusDir, lateness: buffer }: Begin): void {
  preferThisThread()
  lateness = new Lateness(buffer)
  try {
    codecs = createCodecs(opusDir === null ? null : openOpus(opusDir))
  } catch (error) {
    codecs = createCodecs(null)
    tell({ type: 'without_opus', reason: reasonOf(error) })
  }
}

async function open(o: Open): Promise<void> {
  const line = new Line(o)
  const pair = await bindEvenPort(o.ports, o.startAt, (port) => bindPair(line, o.bindHost, port))
  line.pair = pair
  lines.set(o.session, line)
  schedule.add(line)
  tell({ type: 'opened', session: o.session, port: pair.port, codecs: [...codecs.keys()] })
}

/** The sockets of sound and, one port above (RFC 3550 §11), of RTCP. */
interface Pair {
  port: number
  rtp: Socket
  rtcp: Socket | undefined
  close(): void
}

/** Undefined when one of the two ports is taken. An odd port, which the system may have given, gets no second one. */
async function bindPair(line: Line, host: string, port: number): Promise<Pair | undefined> {
  const failed = (error: unknown): void => line.troubled(error)
  const rtp = await bind(host, port, line.receive, failed)
  if (!rtp) return undefined
  const rtcp =
    rtp.port % 2 === 0 ? await bind(host, rtp.port + 1, line.receiveControl, () => {}) : null
  if (rtcp === undefined) {
    rtp.close()
    return undefined
  }
  const close = (): void => {
    rtp.close()
    rtcp?.close()
  }
  return { port: rtp.port, rtp, rtcp: rtcp ?? undefined, close }
}

async function bind(
  hostname: string,
  port: number,
  receive: Receive,
  failed: (error: unknown) => void,
): Promise<Socket | undefined> {
  try {
    return await Bun.udpSocket({
      hostname,
      port,
      socket: {
        data: (_, datagram, fromPort, fromHost) => receive(datagram, fromPort, fromHost),
        // Without a handler an ICMP refusal would end the process; Bun hands the error over as the only argument.
        error: (...told: unknown[]) => failed(told.at(-1)),
      },
    })
  } catch (error) {
    if ((error as { code?: unknown }).code === 'EADDRINUSE') return undefined
    throw new Error(`binding ${hostname}:${port}: ${reasonOf(error)}`)
  }
}

/** One call. A fault in it ends it, not its neighbours. */
class Line {
  pair: Pair | undefined
  private readonly o: Open
  private readonly wire: WireLog | null
  /** From the first agreement on. */
  private rtp: RtpSession | undefined
  private toldAt = performance.now()
  private isTroubled = false

  constructor(o: Open) {
    this.o = o
    this.wire = o.wire && new WireLog(o.wire)
  }

  get dueAt(): number {
    return this.rtp?.dueAt ?? Number.POSITIVE_INFINITY
  }

  readonly receive: Receive = (datagram, port, host) => {
    const at = performance.now()
    this.wire?.passed(datagram, { at, sent: false })
    try {
      this.rtp?.receive(datagram, host, port, at)
    } catch (error) {
      this.fail(error)
    }
  }

  readonly receiveControl: Receive = (datagram, port, host) => {
    try {
      this.rtp?.receiveControl(datagram, host, port, performance.now())
    } catch (error) {
      this.fail(error)
    }
  }

  /** Sends what is due at `now`. */
  beat(now: number): void {
    const { rtp } = this
    if (!rtp) return
    const due = rtp.dueAt
    try {
      rtp.tick(now)
    } catch (error) {
      this.fail(error)
      return
    }
    lateness.add(performance.now() - due)
    if (now - this.toldAt < STATS_EVERY_MS) return
    this.toldAt = now
    tell({ type: 'stats', session: this.o.session, stats: rtp.stats() })
  }

  handle(message: OfSession): void {
    try {
      this.obey(message)
    } catch (error) {
      this.fail(error)
    }
  }

  /** No network, nobody there: the call goes on, and its silence watchdog decides. */
  troubled(error: unknown): void {
    if (this.isTroubled) return
    this.isTroubled = true
    tell({ type: 'trouble', session: this.o.session, reason: reasonOf(error) })
  }

  private obey(message: OfSession): void {
    const { session } = this.o
    const { rtp } = this
    switch (message.type) {
      case 'agree':
        this.rtp ??= this.begin(new Ring(message.ears))
        this.rtp.agree(message.agreement, performance.now())
        schedule.changed(this)
        run()
        break
      case 'enqueue': {
        const { clip, samples } = message
        if (!rtp) tell({ type: 'ended', session, clip, heardSamples: 0, whole: false })
        else if (rtp.enqueue(clip, samples, performance.now())) {
          schedule.changed(this)
          run()
        }
        break
      }
      case 'stop':
        rtp?.stop()
        break
      case 'press': {
        const done = (): void => tell({ type: 'pressed', session, press: message.press })
        if (rtp) rtp.press(message.digits, done)
        else done()
        break
      }
      case 'close':
        tell({ type: 'closed', session, stats: this.close() })
    }
  }

  private begin(ears: Ring): RtpSession {
    const { session, ssrc, sequence, timestamp, cname, silenceTimeoutMs } = this.o
    return new RtpSession({
      ears,
      codecs,
      ssrc,
      sequence,
      timestamp,
      cname,
      silenceTimeoutMs,
      send: (packet, port, host) => this.send(packet, port, host),
      sendControl: (packet, port, host) => this.sendControl(packet, port, host),
      started: (clip) => tell({ type: 'started', session, clip }),
      ended: (clip, heardSamples, whole) =>
        tell({ type: 'ended', session, clip, heardSamples, whole }),
      digit: (digit) => tell({ type: 'digit', session, digit }),
      silent: () => tell({ type: 'silent', session }),
    })
  }

  private send(packet: Uint8Array, port: number, host: string): boolean {
    this.wire?.passed(packet, { at: performance.now(), sent: true })
    return this.write(this.pair?.rtp, packet, { port, host }, (error) => this.troubled(error))
  }

  private sendControl(packet: Uint8Array, port: number, host: string): void {
    // Many have no RTCP: their refusal says nothing.
    this.write(this.pair?.rtcp, packet, { port, host }, () => {})
  }

  private write(
    socket: Socket | undefined,
    packet: Uint8Array,
    to: { port: number; host: string },
    onTrouble: (error: unknown) => void,
  ): boolean {
    if (!socket) return false
    try {
      return sendDatagram(socket, packet, to, onTrouble)
    } catch (error) {
      onTrouble(error)
      return false
    }
  }

  private close(): MediaStats {
    const stats = this.rtp?.stats() ?? NO_STATS
    this.rtp?.close(performance.now())
    this.hangUp()
    return stats
  }

  private fail(error: unknown): void {
    this.hangUp()
    tell({ type: 'failed', session: this.o.session, reason: reasonOf(error) })
  }

  private hangUp(): void {
    lines.delete(this.o.session)
    schedule.remove(this)
    this.rtp = undefined
    this.pair?.close()
    this.pair = undefined
  }
}

/** Sends what is due on every line, then sleeps until the next packet of any is due. */
function run(): void {
  clearTimeout(timer)
  timer = undefined
  const now = performance.now()
  const next = schedule.run(now, now + SLACK_MS)
  if (next === Number.POSITIVE_INFINITY) return
  timer = setTimeout(run, Math.max(0, next - performance.now()))
}
