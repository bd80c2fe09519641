/** The media worker's entry point: one socket a call, one timer for all calls, sound between rings and wire. */
import { parentPort } from 'node:worker_threads'
import { reasonOf } from '../../core/errors.ts'
import { Ring } from '../../core/ring.ts'
import { RtpSession } from '../rtp/session.ts'
import { sendDatagram } from '../send-datagram.ts'
import { bindEvenPort } from './bind-port.ts'
import type { FromWorker, ToWorker } from './messages.ts'

interface Line {
  rtp: RtpSession
  socket: Bun.udp.Socket<'buffer'>
  toldAt: number
  troubled: boolean
}

type Open = Extract<ToWorker, { type: 'open' }>

/** Timers fire up to a millisecond early or late; a frame due within it goes now. */
const SLACK_MS = 1
const STATS_EVERY_MS = 1000

const lines = new Map<string, Line>()
let timer: ReturnType<typeof setTimeout> | undefined

function tell(message: FromWorker): void {
  parentPort?.postMessage(message)
}

parentPort?.on('message', (message: ToWorker) => {
  if (message.type === 'open') {
    open(message).catch((error) => {
      tell({ type: 'refused', session: message.session, reason: reasonOf(error) })
    })
    return
  }
  const line = lines.get(message.session)
  if (line) guarded(message.session, line, () => handle(message, line))
})

async function open(o: Open): Promise<void> {
  const { session } = o
  const socket = await bindEvenPort(o.ports, o.startAt, (port) => bind(o, port))
  const rtp = new RtpSession({
    ears: new Ring(o.ears),
    ssrc: o.ssrc,
    sequence: o.sequence,
    timestamp: o.timestamp,
    silenceTimeoutMs: o.silenceTimeoutMs,
    send: (packet, port, host) => send(session, packet, port, host),
    started: (clip) => tell({ type: 'started', session, clip }),
    ended: (clip, heardSamples, whole) =>
      tell({ type: 'ended', session, clip, heardSamples, whole }),
    silent: () => tell({ type: 'silent', session }),
  })
  lines.set(session, { rtp, socket, toldAt: performance.now(), troubled: false })
  tell({ type: 'opened', session, port: socket.port })
}

async function bind(o: Open, port: number): Promise<Bun.udp.Socket<'buffer'> | undefined> {
  try {
    return await Bun.udpSocket({
      hostname: o.bindHost,
      port,
      socket: {
        data: (_, datagram, fromPort, fromHost) => {
          const line = lines.get(o.session)
          if (!line) return
          guarded(o.session, line, () =>
            line.rtp.receive(datagram, fromHost, fromPort, performance.now()),
          )
        },
        // Without a handler an ICMP refusal would end the process; Bun hands the error over as the only argument.
        error: (...told: unknown[]) => troubled(o.session, told.at(-1)),
      },
    })
  } catch (error) {
    if ((error as { code?: unknown }).code === 'EADDRINUSE') return undefined
    throw new Error(`binding ${o.bindHost}:${port}: ${reasonOf(error)}`)
  }
}

function handle(message: Exclude<ToWorker, Open>, line: Line): void {
  const { rtp } = line
  const { session } = message
  switch (message.type) {
    case 'agree':
      rtp.agree(message.agreement, performance.now())
      run()
      break
    case 'enqueue':
      if (rtp.enqueue(message.clip, message.samples, performance.now())) run()
      break
    case 'stop':
      rtp.stop()
      break
    case 'press':
      rtp.press(message.digits, () => tell({ type: 'pressed', session, press: message.press }))
      break
    case 'close':
      rtp.close()
      hangUp(session, line)
      tell({ type: 'closed', session, stats: rtp.stats() })
  }
}

/** Sends what is due on every line, then sleeps until the next frame of any is due. */
function run(): void {
  clearTimeout(timer)
  timer = undefined
  const now = performance.now()
  let next = Number.POSITIVE_INFINITY
  for (const [session, line] of lines) {
    if (line.rtp.dueAt <= now + SLACK_MS) guarded(session, line, () => beat(session, line, now))
    if (lines.has(session)) next = Math.min(next, line.rtp.dueAt)
  }
  if (next === Number.POSITIVE_INFINITY) return
  timer = setTimeout(run, Math.max(0, next - performance.now()))
}

function beat(session: string, line: Line, now: number): void {
  line.rtp.tick(now)
  if (now - line.toldAt < STATS_EVERY_MS) return
  line.toldAt = now
  tell({ type: 'stats', session, stats: line.rtp.stats() })
}

function send(session: string, packet: Uint8Array, port: number, host: string): boolean {
  const line = lines.get(session)
  if (!line) return false
  try {
    return sendDatagram(line.socket, packet, { port, host }, (error) => troubled(session, error))
  } catch (error) {
    troubled(session, error)
    return false
  }
}

/** No network, nobody there: the call goes on, and its silence watchdog decides. */
function troubled(session: string, error: unknown): void {
  const line = lines.get(session)
  if (!line || line.troubled) return
  line.troubled = true
  tell({ type: 'trouble', session, reason: reasonOf(error) })
}

/** A fault in one call ends that call, not its neighbours. */
function guarded(session: string, line: Line, work: () => void): void {
  try {
    work()
  } catch (error) {
    hangUp(session, line)
    tell({ type: 'failed', session, reason: reasonOf(error) })
  }
}

function hangUp(session: string, line: Line): void {
  lines.delete(session)
  line.socket.close()
}
