/**
 * The far end of the NAT test, a process of its own: a UAS that says 880 Hz and measures 440 Hz. Its sound goes to
 * where the offer says (`sdp`), or to where sound comes from (`symmetric`), as border controllers do. First it calls
 * alice through the proxy until somebody answers for her.
 * Arguments: host, port, port of the proxy, mode. Each event is a line of JSON on stdout.
 */
import { decodeG711, encodeG711, pcmu } from '../../src/telephony/codecs/g711.ts'
import { parsePacket, writeHeader } from '../../src/telephony/rtp/packet.ts'
import { headerOf } from '../../src/telephony/sip/wire-message.ts'
import { ANSWER_SDP, type Received, ScriptedUas } from './scripted-uas.ts'
import { amplitudeAt, tone } from './tones.ts'

const [host = '', port = '', proxyPort = '', mode = ''] = process.argv.slice(2)
const heard: number[] = []
let source = { host: '', port: 0 }
let offered = { host: '', port: 0 }
let talking: ReturnType<typeof setInterval> | undefined

const tell = (event: Record<string, unknown>): void => console.log(JSON.stringify(event))

async function main(): Promise<void> {
  const rtp = await Bun.udpSocket({
    hostname: host,
    port: 0,
    socket: {
      data(_socket, data, fromPort, from) {
        const packet = parsePacket(Uint8Array.from(data))
        if (packet?.payloadType !== 0) return
        source = { host: from, port: fromPort }
        heard.push(...decodeG711(pcmu, packet.payload))
      },
      error() {},
    },
  })
  const uas = await ScriptedUas.open(Number(port), host)
  uas.onMessage = (received) => {
    const { method, kind, status } = received.message
    if (kind === 'response') {
      if (status === 404) setTimeout(() => callAlice(uas), 300)
      else if (status >= 200) tell({ is: 'reached', status })
      return
    }
    if (method === 'INVITE') answer(uas, received, rtp.port)
    if (method === 'ACK') talk(rtp)
    if (method === 'BYE') hangUp(uas, received)
  }
  callAlice(uas)
}

let calls = 0

function callAlice(uas: ScriptedUas): void {
  const body = ANSWER_SDP().replaceAll('127.0.0.1', host)
  const lines = [
    'INVITE sip:alice@trunk.test SIP/2.0',
    `Via: SIP/2.0/UDP ${host}:${port};branch=z9hG4bKalice${++calls};rport`,
    'From: <sip:+15551234567@trunk.test>;tag=far',
    'To: <sip:alice@trunk.test>',
    `Call-ID: alice-${calls}`,
    'CSeq: 1 INVITE',
    'Max-Forwards: 70',
    `Contact: <sip:far@${host}:${port}>`,
    'Content-Type: application/sdp',
    `Content-Length: ${body.length}`,
  ]
  uas.send(`${lines.join('\r\n')}\r\n\r\n${body}`, { host, port: Number(proxyPort) })
}

function answer(uas: ScriptedUas, invite: Received, rtpPort: number): void {
  const address = /^c=IN IP4 (\S+)/m.exec(invite.text)?.[1] ?? ''
  offered = { host: address, port: Number(/^m=audio (\d+)/m.exec(invite.text)?.[1]) }
  tell({ is: 'called', contact: headerOf(invite.message, 'contact'), offered })
  const routes = invite.message.headers
    .filter(({ name }) => name === 'record-route')
    .map(({ value }) => `Record-Route: ${value}`)
  const contact = `Contact: <sip:far@${host}:${port}>`
  const body = ANSWER_SDP(rtpPort).replaceAll('127.0.0.1', host)
  uas.reply(invite, 200, { headers: [...routes, contact], body })
}

function talk(rtp: Bun.udp.Socket<'buffer'>): void {
  let n = 0
  talking ??= setInterval(() => {
    const to = mode === 'sdp' ? offered : source
    if (to.port === 0) return
    const packet = new Uint8Array(172)
    writeHeader(packet, {
      payloadType: 0,
      marker: n === 0,
      sequence: n,
      timestamp: n * 160,
      ssrc: 7,
    })
    encodeG711(pcmu, tone(880, 160, { from: n * 160 }), packet, 12)
    rtp.send(packet, to.port, to.host)
    n++
  }, 20)
}

function hangUp(uas: ScriptedUas, bye: Received): void {
  clearInterval(talking)
  uas.reply(bye, 200)
  const sound = Int16Array.from(heard.slice(-12_000))
  tell({ is: 'ended', amplitude: amplitudeAt(loudest(sound), 440), source, offered })
}

/** The half second that is loudest: around it there is silence. */
function loudest(samples: Int16Array): Int16Array {
  let best = samples.subarray(0, 4_000)
  for (let at = 0; at + 4_000 <= samples.length; at += 400) {
    const part = samples.subarray(at, at + 4_000)
    if (amplitudeAt(part, 440) > amplitudeAt(best, 440)) best = part
  }
  return best
}

void main()
