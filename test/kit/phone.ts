/** The phone that is called: answers as each test says, over real SIP and RTP, and remembers every dialog. */
import type { Peer } from './rtp-peer.ts'
import { openPeer } from './rtp-peer.ts'
import { ANSWER_SDP, type Received, ScriptedUas } from './scripted-uas.ts'

/** What the phone does with a call. Times are ms, each from the step before it. */
export interface Plan {
  /** 180 after this; null: never. */
  ring?: number | null
  /** 200 after this; null: never. */
  answer?: number | null
  /** BYE after this; null: it waits for ours. */
  hangUp?: number | null
}

/** One dialog: all that came under one Call-ID. */
export interface Dialog {
  callId: string
  /** The number that was dialled. */
  number: string
  state: 'ringing' | 'answered' | 'confirmed' | 'canceled' | 'ended'
  /** Datagrams; retransmissions count. */
  invites: number
  byes: number
  cancels: number
  /** Who ended it, once somebody did: the phone, the other side, or that nobody acknowledged the answer. */
  endedBy: 'us' | 'them' | 'timeout' | null
  /** Where the other side's sound comes from. */
  rtpPort: number
}

export interface Phone {
  port: number
  uas: ScriptedUas
  /** Its end of the sound, of all calls together. */
  sound: Peer
  readonly dialogs: readonly Dialog[]
  /** Asked once for each dialog. */
  plan: (number: string) => Plan
  /** The port that an answer names for sound; its own until it is set. */
  soundPort: number
  of(number: string): Dialog[]
  close(): void
}

/** RFC 3261 §17.1.1.1 and §13.3.1.4: retransmissions begin with T1 and double up to T2. */
const T1_MS = 500
const T2_MS = 4_000
const LONGEST_MS = 32_000

interface Line extends Dialog {
  invite: Received
  timers: Set<ReturnType<typeof setTimeout>>
}

export async function openPhone(): Promise<Phone> {
  const uas = await ScriptedUas.open()
  const sound = await openPeer()
  const lines = new Map<string, Line>()
  const phone: Phone = {
    port: uas.port,
    uas,
    sound,
    get dialogs() {
      return [...lines.values()]
    },
    plan: () => ({}),
    soundPort: sound.port,
    of: (number) => [...lines.values()].filter((line) => line.number === number),
    close() {
      for (const line of lines.values()) forget(line)
      uas.close()
      sound.close()
    },
  }
  uas.onMessage = (received) => {
    const { message } = received
    const line = lines.get(message.callId ?? '')
    if (message.kind === 'response') {
      if (message.method === 'BYE' && line) forget(line)
    } else if (message.method === 'INVITE') onInvite(phone, lines, received)
    else if (line) onInside(phone, line, received)
    else if (message.method !== 'ACK') uas.reply(received, message.method === 'OPTIONS' ? 200 : 481)
  }
  return phone
}

function onInvite(phone: Phone, lines: Map<string, Line>, invite: Received): void {
  const { message, text } = invite
  const callId = message.callId ?? ''
  const known = lines.get(callId)
  if (known) {
    known.invites++
    if (known.state === 'ringing') phone.uas.reply(known.invite, 100)
    return
  }
  const number = /^sips?:([^@;]+)/i.exec(message.requestUri)?.[1] ?? ''
  const rtpPort = Number(/^m=audio (\d+)/m.exec(text)?.[1] ?? 0)
  const line: Line = {
    ...{ callId, number, state: 'ringing', invites: 1, byes: 0, cancels: 0 },
    ...{ endedBy: null, rtpPort, invite, timers: new Set() },
  }
  lines.set(callId, line)
  phone.uas.reply(invite, 100)
  const { ring = 0, answer = 0, hangUp = null } = phone.plan(number)
  const ringing = (): void => {
    if (line.state !== 'ringing') return
    if (ring !== null) phone.uas.reply(invite, 180)
    if (answer !== null) later(line, answer, () => accept(phone, line, hangUp))
  }
  later(line, ring ?? 0, ringing)
}

function accept(phone: Phone, line: Line, hangUp: number | null): void {
  if (line.state !== 'ringing') return
  line.state = 'answered'
  const answer = (): void => {
    phone.uas.reply(line.invite, 200, { body: ANSWER_SDP(phone.soundPort) })
  }
  repeat(line, answer, () => line.state === 'answered')
  // RFC 3261 §13.3.1.4: an answer that nobody acknowledges ends the call.
  later(line, LONGEST_MS, () => {
    if (line.state === 'answered') hangUpNow(phone, line, 'timeout')
  })
  if (hangUp !== null) later(line, hangUp, () => hangUpWhenConfirmed(phone, line))
}

/** RFC 3261 §15: the called side sends no BYE before its answer was acknowledged. */
function hangUpWhenConfirmed(phone: Phone, line: Line): void {
  if (line.state === 'confirmed') hangUpNow(phone, line, 'us')
  else if (line.state === 'answered') later(line, 20, () => hangUpWhenConfirmed(phone, line))
}

function hangUpNow(phone: Phone, line: Line, endedBy: 'us' | 'timeout'): void {
  line.state = 'ended'
  line.endedBy = endedBy
  forget(line)
  const branch = `z9hG4bKphone${line.callId}`
  const bye = (): void => phone.uas.request('BYE', line.invite, { branch })
  repeat(line, bye, () => true)
}

function onInside(phone: Phone, line: Line, received: Received): void {
  const { method } = received.message
  if (method === 'ACK') {
    if (line.state === 'answered') line.state = 'confirmed'
  } else if (method === 'BYE') {
    line.byes++
    if (line.state !== 'ended') {
      line.state = 'ended'
      line.endedBy = 'them'
      forget(line)
    }
    phone.uas.reply(received, 200)
  } else if (method === 'CANCEL') {
    line.cancels++
    phone.uas.reply(received, 200)
    if (line.state !== 'ringing') return
    line.state = 'canceled'
    line.endedBy = 'them'
    forget(line)
    phone.uas.reply(line.invite, 487)
  } else phone.uas.reply(received, 200)
}

function later(line: Line, ms: number, fn: () => void): void {
  const timer = setTimeout(() => {
    line.timers.delete(timer)
    fn()
  }, ms)
  line.timers.add(timer)
}

/** Now, and again until it is no longer wanted. */
function repeat(line: Line, send: () => void, wanted: () => boolean): void {
  const from = performance.now()
  const go = (wait: number): void => {
    if (!wanted() || performance.now() - from > LONGEST_MS) return
    send()
    later(line, wait, () => go(Math.min(wait * 2, T2_MS)))
  }
  go(T1_MS)
}

function forget(line: Line): void {
  for (const timer of line.timers) clearTimeout(timer)
  line.timers.clear()
}
