/** A callee with a thread of its own: answers by SIP, speaks and hears RTP, and takes the time at its own sockets. */
import { parentPort } from 'node:worker_threads'
import { encodeG711, pcmu } from '../src/telephony/codecs/g711.ts'
import { writeHeader } from '../src/telephony/rtp/packet.ts'
import { ANSWER_SDP, type Received, ScriptedUas } from '../test/kit/scripted-uas.ts'
import type { CallReport, FromCallee, Step, ToCallee } from './callee-messages.ts'

const FRAME_SAMPLES = 160
const FRAME_MS = 20
const HEADER_BYTES = 12
const GIVE_UP_MS = 10_000
/** So long without sound the agent has stopped. */
const STOPPED_MS = 200

let utterances: Int16Array[] = []
let steps: readonly Step[] = []
let controlArrivals: number[] = []

function tell(message: FromCallee): void {
  parentPort?.postMessage(message)
}

/** One call's sound. Sends a packet every 20 ms of the clock, of what is said or of silence. */
class Line {
  readonly report: CallReport = {
    turns: [],
    interruptions: [],
    arrivals: [],
    controlArrivals: [],
  }
  firstLoud = 0
  lastLoud = 0
  private readonly socket: Bun.udp.Socket<'buffer'>
  private readonly to: { host: string; port: number }
  private readonly packet = new Uint8Array(HEADER_BYTES + FRAME_SAMPLES)
  private readonly begun = performance.now()
  private count = 0
  private saying: { samples: Int16Array; at: number; began(): void; ended(): void } | null = null
  private timer: ReturnType<typeof setTimeout> | undefined
  private onLoud: () => void = () => {}

  constructor(socket: Bun.udp.Socket<'buffer'>, to: { host: string; port: number }) {
    this.socket = socket
    this.to = to
    this.beat()
  }

  hear(datagram: Uint8Array): void {
    const now = performance.now()
    this.report.arrivals.push(now)
    if (!isLoud(datagram)) return
    if (now - this.lastLoud > STOPPED_MS) this.firstLoud = now
    this.lastLoud = now
    this.onLoud()
  }

  /** Resolves with the times at which the first and the last packet of the utterance were sent. */
  say(samples: Int16Array): { began: Promise<number>; ended: Promise<number> } {
    const began = Promise.withResolvers<number>()
    const ended = Promise.withResolvers<number>()
    this.saying = {
      samples,
      at: 0,
      began: () => began.resolve(performance.now()),
      ended: () => ended.resolve(performance.now()),
    }
    return { began: began.promise, ended: ended.promise }
  }

  /** The time of the next packet with sound. */
  nextLoud(): Promise<number> {
    return new Promise((done, fail) => {
      const giveUp = setTimeout(() => fail(new Error('the agent says nothing')), GIVE_UP_MS)
      this.onLoud = () => {
        clearTimeout(giveUp)
        this.onLoud = () => {}
        done(this.lastLoud)
      }
    })
  }

  close(): void {
    clearTimeout(this.timer)
    this.socket.close()
  }

  private beat(): void {
    const { saying, packet } = this
    const samples = saying?.samples.subarray(saying.at, saying.at + FRAME_SAMPLES)
    if (samples) encodeG711(pcmu, samples, packet, HEADER_BYTES)
    else packet.fill(pcmu.silence, HEADER_BYTES)
    writeHeader(packet, {
      payloadType: 0,
      marker: false,
      sequence: this.count & 0xffff,
      timestamp: this.count * FRAME_SAMPLES,
      ssrc: 7,
    })
    if (saying) this.mark(saying)
    this.socket.send(packet, this.to.port, this.to.host)
    this.count++
    const due = this.begun + this.count * FRAME_MS
    this.timer = setTimeout(() => this.beat(), Math.max(0, due - performance.now()))
  }

  /** Takes the time just before the packet leaves. */
  private mark(saying: NonNullable<Line['saying']>): void {
    if (saying.at === 0) saying.began()
    saying.at += FRAME_SAMPLES
    if (saying.at < saying.samples.length) return
    saying.ended()
    this.saying = null
  }
}

/** The stubs' voice is loud throughout; silence is one code only. */
function isLoud(datagram: Uint8Array): boolean {
  return (
    datagram.length > HEADER_BYTES && datagram.some((code, i) => i >= HEADER_BYTES && code !== 0xff)
  )
}

async function follow(line: Line): Promise<void> {
  for (const step of steps) {
    if (step.do === 'wait') await Bun.sleep(step.ms)
    if (step.do === 'listen') await listen(line, step.quietMs)
    if (step.do === 'say') {
      const { utterance } = step
      const speechEnd = await line.say(samplesOf(utterance)).ended
      line.report.turns.push({ utterance, speechEnd, firstSound: await line.nextLoud() })
    }
    if (step.do === 'interrupt') await interrupt(line, step)
  }
}

async function listen(line: Line, quietMs: number): Promise<void> {
  const giveUpAt = performance.now() + GIVE_UP_MS
  while (line.lastLoud === 0 || performance.now() - line.lastLoud < quietMs) {
    if (performance.now() > giveUpAt) throw new Error('the agent says nothing, or does not stop')
    await Bun.sleep(10)
  }
}

async function interrupt(line: Line, step: Extract<Step, { do: 'interrupt' }>): Promise<void> {
  await Bun.sleep(Math.max(0, line.firstLoud + step.afterMs - performance.now()))
  const said = line.say(samplesOf(step.utterance))
  const speechStart = await said.began
  await listen(line, STOPPED_MS)
  line.report.interruptions.push({ speechStart, lastSound: line.lastLoud })
  await said.ended
}

function samplesOf(utterance: number): Int16Array {
  const samples = utterances[utterance]
  if (!samples) throw new Error(`there is no utterance ${utterance}`)
  return samples
}

async function take(uas: ScriptedUas, invite: Received): Promise<void> {
  let line: Line | undefined
  const socket = await Bun.udpSocket({
    hostname: '127.0.0.1',
    port: 0,
    socket: { data: (_, datagram) => line?.hear(datagram), error() {} },
  })
  const headers = [`Contact: <sip:uas@127.0.0.1:${uas.port}>`]
  uas.reply(invite, 200, { headers, body: ANSWER_SDP(socket.port) })
  const acks = uas.all('ACK').length
  await uas.wait('ACK', { n: acks + 1 })
  const port = Number(/m=audio (\d+)/.exec(invite.message.body)?.[1])
  controlArrivals = []
  line = new Line(socket, { host: '127.0.0.1', port })
  try {
    await follow(line)
    tell({ type: 'report', report: { ...line.report, controlArrivals } })
  } finally {
    uas.request('BYE', invite, { cseq: 1 })
    line.close()
  }
}

async function ping(port: number, count: number): Promise<void> {
  let back: () => void = () => {}
  const socket = await Bun.udpSocket({
    hostname: '127.0.0.1',
    port: 0,
    socket: { data: () => back(), error() {} },
  })
  const roundTrips: number[] = []
  for (let i = 0; i < count; i++) {
    await Bun.sleep(5)
    const sentAt = performance.now()
    const returned = new Promise<void>((done) => {
      back = done
    })
    socket.send(new Uint8Array(HEADER_BYTES + FRAME_SAMPLES), port, '127.0.0.1')
    await returned
    roundTrips.push(performance.now() - sentAt)
  }
  socket.close()
  tell({ type: 'pinged', roundTrips })
}

async function begin(): Promise<void> {
  const uas = await ScriptedUas.open()
  const seen = new Set<string>()
  uas.onMessage = (received) => {
    const { method, kind, callId } = received.message
    if (kind !== 'request') return
    if (method === 'BYE' || method === 'CANCEL') uas.reply(received, 200)
    if (method !== 'INVITE' || seen.has(callId ?? '')) return
    seen.add(callId ?? '')
    void take(uas, received).catch((error: unknown) =>
      tell({ type: 'failed', reason: String(error) }),
    )
  }
  parentPort?.on('message', (message: ToCallee) => {
    if (message.type === 'prepare') utterances = message.utterances
    if (message.type === 'script') steps = message.steps
    if (message.type === 'ping') void ping(message.port, message.count)
  })
  const control = await Bun.udpSocket({
    hostname: '127.0.0.1',
    port: 0,
    socket: { data: () => void controlArrivals.push(performance.now()), error() {} },
  })
  tell({ type: 'ready', sipPort: uas.port, controlPort: control.port })
}

void begin()
