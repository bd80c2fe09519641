/** The phone of somebody who calls us: INVITE, ACK, BYE over real SIP, and sound over real RTP. */
import { headerOf } from '../../src/telephony/sip/wire-message.ts'
import { openPeer, type Peer } from './rtp-peer.ts'
import { ANSWER_SDP, type Received, ScriptedUas } from './scripted-uas.ts'

export interface CallingPhone {
  /** Where it signals from. */
  port: number
  uas: ScriptedUas
  /** Its end of the sound, of all calls together. */
  sound: Peer
  /** Sends an INVITE; `to` and `from` are numbers. */
  call(o: { port: number; to: string; from?: string }): OutgoingCall
  close(): void
}

export interface OutgoingCall {
  /** The final response, acknowledged once it came. */
  final(withinMs?: number): Promise<Received>
  /** Sends BYE; resolves when it is answered. */
  hangUp(): Promise<void>
  /** BYEs that came for it; each was answered. */
  byes(): number
}

/** `host`: the loopback address that it signals from. */
export async function openCallingPhone(host = '127.0.0.1'): Promise<CallingPhone> {
  const uas = await ScriptedUas.open(0, host)
  const sound = await openPeer()
  let calls = 0
  uas.onMessage = (received) => {
    if (received.message.method === 'BYE' && received.message.kind === 'request')
      uas.reply(received, 200)
  }
  return {
    port: uas.port,
    uas,
    sound,
    call: (o) => outgoingCall({ uas, sound, host, callId: `calling-${++calls}-${uas.port}` }, o),
    close() {
      uas.close()
      sound.close()
    },
  }
}

function outgoingCall(
  d: { uas: ScriptedUas; sound: Peer; host: string; callId: string },
  o: { port: number; to: string; from?: string },
): OutgoingCall {
  const { uas, host, callId } = d
  const us = { host: '127.0.0.1', port: o.port }
  let ok: Received | undefined

  function send(method: string, cseq: number, r: { uri?: string; to?: string; body?: string }) {
    const body = r.body ?? ''
    const lines = [
      `${method} ${r.uri ?? `sip:${o.to}@127.0.0.1:${o.port}`} SIP/2.0`,
      `Via: SIP/2.0/UDP ${host}:${uas.port};branch=z9hG4bK${method}${cseq}${callId};rport`,
      `From: <sip:${o.from ?? '+15557654321'}@127.0.0.1>;tag=caller`,
      `To: ${r.to ?? `<sip:${o.to}@127.0.0.1>`}`,
      `Call-ID: ${callId}`,
      `CSeq: ${cseq} ${method}`,
      'Max-Forwards: 70',
      `Contact: <sip:caller@${host}:${uas.port}>`,
      ...(body ? ['Content-Type: application/sdp'] : []),
      `Content-Length: ${body.length}`,
    ]
    uas.send(`${lines.join('\r\n')}\r\n\r\n${body}`, us)
  }

  const ours = (kind: 'request' | 'response', method: string): Received[] =>
    uas.received.filter(
      ({ message }) =>
        message.kind === kind && message.method === method && message.callId === callId,
    )

  async function awaitedOf(what: string, withinMs: number, find: () => Received | undefined) {
    for (let left = withinMs; left > 0; left -= 20) {
      const found = find()
      if (found) return found
      await Bun.sleep(20)
    }
    throw new Error(`${what}: nothing came but ${uas.summary()}`)
  }

  send('INVITE', 1, { body: ANSWER_SDP(d.sound.port) })
  return {
    async final(withinMs = 10_000) {
      const final = await awaitedOf('calling', withinMs, () =>
        ours('response', 'INVITE').find(({ message }) => message.status >= 200),
      )
      const to = headerOf(final.message, 'to') ?? ''
      const contact = /<([^>]+)>/.exec(headerOf(final.message, 'contact') ?? '')?.[1]
      const accepted = final.message.status < 300
      if (accepted) ok = final
      send('ACK', 1, accepted && contact ? { to, uri: contact } : { to })
      return final
    },
    async hangUp() {
      if (!ok) throw new Error('hanging up: it was not answered')
      const uri = /<([^>]+)>/.exec(headerOf(ok.message, 'contact') ?? '')?.[1] ?? ''
      send('BYE', 2, { to: headerOf(ok.message, 'to') ?? '', uri })
      await awaitedOf('hanging up', 5000, () => ours('response', 'BYE')[0])
    },
    byes: () => ours('request', 'BYE').length,
  }
}
