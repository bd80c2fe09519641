/** An answered call between our SIP side and the kit's UAS, as the tests of what happens inside a dialog want it. */
import type { Leg, SipState } from '../../src/calls/ports.ts'
import { headerOf } from '../../src/telephony/sip/wire-message.ts'
import type { TrunkOptions } from '../../src/telephony/trunk-options.ts'
import { ANSWER_SDP, type Received, ScriptedUas } from './scripted-uas.ts'
import { type SipSide, startSipSide, trunkOptions } from './sip-side.ts'

/** A description of the other side. */
export function sdpOf(
  o: {
    port?: number
    address?: string
    /** Payload type and name of each format. */
    formats?: readonly [number, string][]
    direction?: string
    version?: number
  } = {},
): string {
  const formats = o.formats ?? [
    [0, 'PCMU/8000'],
    [101, 'telephone-event/8000'],
  ]
  const lines = [
    'v=0',
    `o=uas 1 ${o.version ?? 1} IN IP4 127.0.0.1`,
    's=-',
    `c=IN IP4 ${o.address ?? '127.0.0.1'}`,
    't=0 0',
    `m=audio ${o.port ?? 40_000} RTP/AVP ${formats.map(([type]) => type).join(' ')}`,
    ...formats.map(([type, name]) => `a=rtpmap:${type} ${name}`),
    `a=${o.direction ?? 'sendrecv'}`,
  ]
  return `${lines.join('\r\n')}\r\n`
}

export interface TestDialog {
  uas: ScriptedUas
  side: SipSide
  leg: Leg
  /** Our INVITE. */
  invite: Received
  /** The states of the dialog that were told after its answer. */
  moves: SipState[]
  /** Sends a request of the UAS with the next CSeq, which it returns. */
  ask(method: string, o?: Parameters<ScriptedUas['request']>[2]): number
  /** Sends an INVITE of the UAS and acknowledges its 2xx; returns that. */
  change(body: string, o?: { headers?: string[] }): Promise<Received>
  stop(): Promise<void>
}

/**
 * Dials and is answered. `onRequest` is asked first about each request but INVITE (the first one), ACK and BYE; what
 * it leaves (false) is answered 200.
 */
export async function openDialog(
  o: {
    answer?: { headers?: string[]; body?: string }
    trunk?: Partial<TrunkOptions>
    onRequest?: (received: Received, uas: ScriptedUas) => boolean
  } = {},
): Promise<TestDialog> {
  const uas = await ScriptedUas.open()
  const side = await startSipSide([trunkOptions(uas.port, o.trunk)])
  uas.onMessage = (received) => {
    const { method, kind, toTag } = received.message
    if (kind !== 'request' || method === 'ACK') return
    if (method === 'INVITE' && toTag === undefined)
      uas.reply(received, 200, { body: ANSWER_SDP(), ...o.answer })
    else if (!o.onRequest?.(received, uas)) uas.reply(received, 200)
  }
  const moves: SipState[] = []
  const onMoved = (state: SipState): void => void moves.push(structuredClone(state))
  const dialed = await side.dial({ onMoved }).dialed
  if (!('answered' in dialed)) throw new Error(JSON.stringify(dialed))
  const invite = await uas.wait('INVITE')
  await uas.wait('ACK')
  let cseq = 100
  const ask: TestDialog['ask'] = (method, request) => {
    cseq++
    uas.request(method, invite, { cseq, ...request })
    return cseq
  }
  return {
    uas,
    side,
    leg: dialed.answered,
    invite,
    moves,
    ask,
    async change(body, request) {
      const before = uas.all('SIP 200').length
      const number = ask('INVITE', { body, ...request })
      const ok = await uas.wait('SIP 200', { n: before + 1 })
      uas.request('ACK', invite, { cseq: number })
      return ok
    },
    async stop() {
      await side.telephony.stop()
      uas.close()
    },
  }
}

/** The value of the `o=` line of a message's description. */
export function originOf(received: Received): string {
  return /^o=(.*)$/m.exec(received.message.body)?.[1]?.trim() ?? ''
}

/** The header of a message, empty where it has none. */
export function header(received: Received, name: string): string {
  return headerOf(received.message, name) ?? ''
}
