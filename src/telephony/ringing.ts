/** A call that rings at ours when the process dies: what is stored of its INVITE, and its end by a later process. */
import { type Clock, sleep } from '../core/clock.ts'
import { replyTo, withSource } from './sip/reply.ts'
import type { SipStack } from './sip/sip-stack.ts'
import { type Endpoint, protocolOf, type Source } from './sip/transport.ts'
import { headerOf, headersOf, splitList, type WireMessage } from './sip/wire-message.ts'
import type { RingingState } from './sip-state.ts'

/** Over UDP a refusal is sent again until its ACK (RFC 3261 §17.2.1); nobody is left to hear that: a few times do. */
const AGAIN_MS = [500, 1_000]

/** The state of an INVITE that came in, before anything was answered; `tag` is ours for a refusal. */
export function ringingState(
  trunk: string,
  invite: WireMessage,
  o: { source: Source; localPort: number; tag: string },
): RingingState {
  const [top = '', ...others] = headersOf(invite, 'via').flatMap(splitList)
  return {
    trunk,
    phase: 'ringing',
    callId: invite.callId ?? '',
    vias: [withSource(top, invite.via, o.source), ...others],
    from: headerOf(invite, 'from') ?? '',
    to: `${headerOf(invite, 'to') ?? ''};tag=${o.tag}`,
    cseq: invite.cseq?.number ?? 0,
    destination: destinationOf(invite, o.source),
    localPort: o.localPort,
  }
}

/** Where a response goes when the connection that the INVITE came over is gone (RFC 3261 §18.2.2). */
function destinationOf(invite: WireMessage, source: Source): Endpoint {
  const { host, port, protocol, tls } = invite.via ? replyTo(invite.via, source) : source
  return { host, port, ...(protocol ? { protocol } : {}), ...(tls ? { tls } : {}) }
}

/** Tells the caller that nobody will answer any more (503). */
export async function endRinging(
  state: RingingState,
  d: { clock: Clock; stack: SipStack; fromPort?: number },
): Promise<void> {
  const text = [
    'SIP/2.0 503 Service Unavailable',
    ...state.vias.map((via) => `Via: ${via}`),
    `From: ${state.from}`,
    `To: ${state.to}`,
    `Call-ID: ${state.callId}`,
    `CSeq: ${state.cseq} INVITE`,
    'Content-Length: 0',
    '\r\n',
  ].join('\r\n')
  const port = d.fromPort === undefined ? {} : { fromPort: d.fromPort }
  const send = (): Promise<void> => d.stack.transport.send({ text, to: state.destination, ...port })
  await send()
  if (protocolOf(state.destination) !== 'UDP') return
  for (const wait of AGAIN_MS) {
    await sleep(d.clock, wait)
    await send()
  }
}
