/** What is stored before each INVITE and at the answer, so that a later process can end what this one began. */
import { isIP } from 'node:net'
import type { SipState } from '../calls/ports.ts'
import type { Endpoint } from './sip/transport.ts'
import { headerOf, headersOf, splitList, type WireMessage } from './sip/wire-message.ts'

interface Common extends SipState {
  /** Header values as they are on the wire, with their tags. */
  from: string
  to: string
  /** Of the INVITE; 0 in a dialog that theirs began, in which we have sent nothing. */
  cseq: number
  destination: Endpoint
  /** The UDP port that it was sent from, or came to. */
  localPort: number
}

interface Routed extends Common {
  /** Route header values, in order. */
  routes: string[]
}

/** An INVITE that has no final answer yet. */
export interface InviteState extends Routed {
  phase: 'invite'
  requestUri: string
  /** The whole Via value: a CANCEL matches by it (RFC 3261 §9.1). */
  via: string
  branch: string
}

/** A confirmed dialog, `from` being us (RFC 3261 §12.1.1 and §12.1.2). */
export interface DialogState extends Routed {
  phase: 'dialog'
  /** The remote target: the request-URI of what is sent inside the dialog. */
  target: string
  /** Our host and port for the Via. */
  sentBy: string
}

/** An INVITE that came to us and has no final answer yet; `from` is who calls. */
export interface RingingState extends Common {
  phase: 'ringing'
  /** The whole Via values that a response carries, in order. */
  vias: string[]
}

/** The state of an INVITE as it is about to leave. */
export function inviteState(
  trunk: string,
  invite: WireMessage,
  o: { destination: Endpoint; localPort: number },
): InviteState {
  return {
    trunk,
    phase: 'invite',
    callId: invite.callId ?? '',
    requestUri: invite.requestUri,
    via: headerOf(invite, 'via') ?? '',
    branch: invite.via?.branch ?? '',
    from: headerOf(invite, 'from') ?? '',
    to: headerOf(invite, 'to') ?? '',
    cseq: invite.cseq?.number ?? 0,
    routes: headersOf(invite, 'route').flatMap(splitList),
    destination: o.destination,
    localPort: o.localPort,
  }
}

/** The state that a 2xx to the INVITE makes: target from its Contact, routes from its Record-Route, reversed. */
export function dialogState(
  invite: InviteState,
  answer: WireMessage,
  o: { destination: Endpoint; target: string; sentBy: string },
): DialogState {
  return {
    trunk: invite.trunk,
    phase: 'dialog',
    callId: invite.callId,
    from: invite.from,
    to: headerOf(answer, 'to') ?? invite.to,
    cseq: invite.cseq,
    routes: headersOf(answer, 'record-route').flatMap(splitList).reverse(),
    target: o.target,
    destination: o.destination,
    localPort: invite.localPort,
    sentBy: o.sentBy,
  }
}

/**
 * The state that our 2xx to `invite` will make, as the UAS sees it (RFC 3261 §12.1.1): routes from its Record-Route in
 * their order; no request of ours has been sent in it.
 */
export function incomingDialogState(
  trunk: string,
  invite: WireMessage,
  o: { localTag: string; target: string; destination: Endpoint; localPort: number; sentBy: string },
): DialogState {
  const { localTag, ...rest } = o
  return {
    ...rest,
    trunk,
    phase: 'dialog',
    callId: invite.callId ?? '',
    from: `${headerOf(invite, 'to') ?? ''};tag=${localTag}`,
    to: headerOf(invite, 'from') ?? '',
    cseq: 0,
    routes: headersOf(invite, 'record-route').flatMap(splitList),
  }
}

/** A stored state, checked: undefined when it is not one of ours. */
export function readState(state: SipState): InviteState | DialogState | RingingState | undefined {
  const { lines, lists } = NEEDS[state.phase] ?? {}
  if (!lines || !lists) return undefined
  if (![...lines, 'from', 'to', 'callId', 'trunk'].every((name) => isLine(state[name])))
    return undefined
  if (!Number.isInteger(state.cseq) || !Number.isInteger(state.localPort)) return undefined
  if (!lists.every((name) => isLines(state[name]))) return undefined
  return isEndpoint(state.destination)
    ? (state as InviteState | DialogState | RingingState)
    : undefined
}

/** What each phase has beside what all have. */
const NEEDS: Partial<Record<string, { lines: string[]; lists: string[] }>> = {
  invite: { lines: ['requestUri', 'via', 'branch'], lists: ['routes'] },
  dialog: { lines: ['target', 'sentBy'], lists: ['routes'] },
  ringing: { lines: [], lists: ['vias'] },
}

function isLines(value: unknown): boolean {
  return Array.isArray(value) && value.every(isLine)
}

function isLine(value: unknown): boolean {
  return typeof value === 'string' && value !== '' && !/[\r\n]/.test(value)
}

function isEndpoint(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { host, port, protocol, tls } = value as Record<string, unknown>
  if (protocol !== undefined && !['UDP', 'TCP', 'TLS'].includes(String(protocol))) return false
  if (tls !== undefined && !isTls(tls)) return false
  return typeof host === 'string' && isIP(host) !== 0 && Number.isInteger(port)
}

function isTls(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { trunk, name } = value as Record<string, unknown>
  return isLine(trunk) && isLine(name)
}
