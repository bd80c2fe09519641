/** The far end of SIP tests: it answers as the test says, over UDP, TCP or TLS, with raw bytes and no help. */

import { headerOf, readWire, type WireMessage } from '../../src/telephony/sip/wire-message.ts'
import { openDatagramWire, openStreamWire, type Wire } from './sip-wire.ts'

export interface Received {
  text: string
  message: WireMessage
  from: { host: string; port: number }
  /** performance.now() of the arrival. */
  at: number
}

export const ANSWER_SDP = (port = 40_000): string =>
  [
    'v=0',
    'o=uas 1 1 IN IP4 127.0.0.1',
    's=-',
    'c=IN IP4 127.0.0.1',
    't=0 0',
    `m=audio ${port} RTP/AVP 0 101`,
    'a=rtpmap:0 PCMU/8000',
    'a=rtpmap:101 telephone-event/8000',
    'a=fmtp:101 0-16',
    'a=ptime:20',
    'a=sendrecv',
    '',
  ].join('\r\n')

export class ScriptedUas {
  readonly received: Received[] = []
  /** Called for each message; the default script is to stay silent. */
  onMessage: (received: Received) => void = () => {}
  private readonly wire: Wire
  private readonly waiting = new Set<() => void>()

  private constructor(wire: Wire) {
    this.wire = wire
    wire.onText = (text, from) => this.receive(text, from)
  }

  static async open(port = 0, host = '127.0.0.1'): Promise<ScriptedUas> {
    return new ScriptedUas(await openDatagramWire(port, host))
  }

  /** A server for TCP, or with a certificate for TLS. */
  static async openStream(
    o: { port?: number; host?: string; tls?: { key: string; cert: string } } = {},
  ): Promise<ScriptedUas> {
    return new ScriptedUas(await openStreamWire(o))
  }

  get port(): number {
    return this.wire.port
  }

  /** How many connections are open; 0 for UDP. */
  get connections(): number {
    return this.wire.connections()
  }

  /** The names that TLS clients asked for. */
  get serverNames(): readonly string[] {
    return this.wire.serverNames
  }

  close(): void {
    this.wire.close()
  }

  /** Breaks all connections; new ones are taken. */
  disconnect(): void {
    this.wire.disconnect()
  }

  /** Raw bytes that came outside messages, as latin1: keep-alives. */
  get stray(): string {
    return this.wire.stray()
  }

  send(text: string | Uint8Array, to: { host: string; port: number }): void {
    this.wire.send(typeof text === 'string' ? Buffer.from(text, 'latin1') : text, to)
  }

  /** Our own address as a Contact writes it. */
  get address(): string {
    const { host, port, protocol } = this.wire
    const transport = protocol === 'UDP' ? '' : `;transport=${protocol.toLowerCase()}`
    return `${host.includes(':') ? `[${host}]` : host}:${port}${transport}`
  }

  /** Answers a request the way a UAS does: Vias, From, Call-ID and CSeq copied, a tag in To. */
  reply(
    request: Received,
    status: number,
    o: { tag?: string; headers?: string[]; body?: string; reason?: string } = {},
  ): string {
    const { message } = request
    const tag = o.tag ?? 'uas'
    const to = headerOf(message, 'to') ?? ''
    const body = o.body ?? ''
    const contact = `<sip:uas@${this.address}>`
    const lines = [
      `SIP/2.0 ${status} ${o.reason ?? 'Scripted'}`,
      ...message.headers.filter(({ name }) => name === 'via').map(({ value }) => `Via: ${value}`),
      `From: ${headerOf(message, 'from')}`,
      `To: ${status > 100 && !message.toTag ? `${to};tag=${tag}` : to}`,
      `Call-ID: ${message.callId}`,
      `CSeq: ${headerOf(message, 'cseq')}`,
      ...(status > 100 && status < 300 ? [`Contact: ${contact}`] : []),
      ...(o.headers ?? []),
      ...(body && !o.headers?.some((line) => /^content-type:/i.test(line))
        ? ['Content-Type: application/sdp']
        : []),
      `Content-Length: ${body.length}`,
    ]
    const text = `${lines.join('\r\n')}\r\n\r\n${body}`
    this.send(text, request.from)
    return text
  }

  /** A request of the UAS inside the dialog that `invite` began. */
  request(
    method: string,
    invite: Received,
    o: {
      cseq?: number
      headers?: string[]
      body?: string
      tag?: string
      branch?: string
      uri?: string
      /** The address in its Contact; its own unless given. */
      contact?: string
    } = {},
  ): void {
    const { message } = invite
    const contact = /<([^>]+)>/.exec(headerOf(message, 'contact') ?? '')?.[1] ?? 'sip:x@127.0.0.1'
    const body = o.body ?? ''
    const lines = [
      `${method} ${o.uri ?? contact} SIP/2.0`,
      `Via: SIP/2.0/${this.wire.protocol} ${this.address.split(';')[0]};branch=${o.branch ?? `z9hG4bK${Math.random()}`};rport`,
      `From: ${headerOf(message, 'to')};tag=${o.tag ?? 'uas'}`,
      `To: ${headerOf(message, 'from')}`,
      `Call-ID: ${message.callId}`,
      `CSeq: ${o.cseq ?? 1} ${method}`,
      'Max-Forwards: 70',
      `Contact: <${o.contact ?? `sip:uas@${this.address}`}>`,
      ...(o.headers ?? []),
      ...(body && !o.headers?.some((line) => /^content-type:/i.test(line))
        ? ['Content-Type: application/sdp']
        : []),
      `Content-Length: ${body.length}`,
    ]
    this.send(`${lines.join('\r\n')}\r\n\r\n${body}`, invite.from)
  }

  all(method: string): Received[] {
    return this.received.filter(({ message }) => isKind(message, method))
  }

  /** The `n`-th (from 1) request of a method, or response as `SIP 200`, once it came. */
  async wait(method: string, o: { n?: number; withinMs?: number } = {}): Promise<Received> {
    const n = o.n ?? 1
    const deadline = performance.now() + (o.withinMs ?? 5_000)
    for (;;) {
      const found = this.all(method)[n - 1]
      if (found) return found
      const left = deadline - performance.now()
      if (left <= 0) throw new Error(`no ${method} number ${n}; came: ${this.summary()}`)
      await new Promise<void>((done) => {
        const timer = setTimeout(done, left)
        this.waiting.add(() => {
          clearTimeout(timer)
          done()
        })
      })
    }
  }

  summary(): string {
    return this.received.map(({ message }) => message.startLine.slice(0, 20)).join(', ')
  }

  private receive(text: string, from: { host: string; port: number }): void {
    const message = readWire(text)
    if (!message) return
    const received = { text, message, from, at: performance.now() }
    this.received.push(received)
    this.onMessage(received)
    for (const wake of this.waiting) wake()
    this.waiting.clear()
  }
}

function isKind(message: WireMessage, kind: string): boolean {
  if (kind.startsWith('SIP '))
    return message.kind === 'response' && message.status === Number(kind.slice(4))
  return message.kind === 'request' && message.method === kind
}
