import type { TraceMessage } from '../../src/calls/call-trace.ts'
import type {
  Dialed,
  DialRequest,
  IncomingCall,
  SipState,
  TransferOutcome,
  Trunk,
} from '../../src/calls/ports.ts'
import type { Probe } from '../../src/core/probe.ts'
import { failureOf } from '../../src/telephony/outcome.ts'
import { type Caller, type CameIn, type FakeCaller, fakeCaller } from './fake-caller.ts'
import { createFakeLeg, type FakeLeg, type Speech } from './fake-leg.ts'
import type { SimClock } from './sim-clock.ts'

/** What the phone at a number does with an INVITE. Times are ms since it came, where not said otherwise. */
export interface Phone {
  /** When the 180 comes; null: it never rings. */
  ringsAfter?: number | null
  /** When the final response comes; null: never. */
  answersAfter?: number | null
  /** The final response: 200 answers, the others refuse. */
  status?: number
  /** Not even a 100 comes, or the socket is refused. */
  dead?: 'silent' | 'refused'
  /** Told the leg of each call that it answers. */
  onAnswer?(leg: FakeLeg): void
  /** What the human says, ms since the answer. */
  says?: readonly Speech[]
  /** The human hangs up, ms since the answer; null: never. */
  hangsUpAfter?: number | null
  /** What a transfer comes to, after a second; it succeeds when this is not said. */
  transfer?: TransferOutcome
  /** BYE is never confirmed, and the leg never ends. */
  deaf?: boolean
}

export type Message = 'INVITE' | '180' | '200' | '487' | 'CANCEL' | 'BYE' | 'BYE from them' | string

/** One INVITE that left, and all that followed. */
export interface PlacedCall {
  readonly to: string
  readonly from: string
  /** The call's id. */
  readonly callId: string
  /** When its INVITE left. */
  readonly at: number
  /** What passed, in order; requests are ours where not said otherwise. */
  readonly ladder: readonly Message[]
  /** When each message of the ladder passed. */
  readonly times: readonly number[]
  /** Null until it was answered. */
  readonly leg: FakeLeg | null
}

export interface FakeTrunk extends Trunk {
  /** Every INVITE that left, in order. */
  readonly placed: readonly PlacedCall[]
  /** Sets what the phone at `number` does from the next INVITE on. */
  phone(number: string, phone: Phone): void
  /** Somebody calls one of our numbers. */
  callUs(caller: Caller): CameIn
  /** The process that dialled is gone: nothing more comes from it, and the phones know nothing of that. */
  crash(): void
  /** The leg whose human is heard in `ears`. */
  legOf(ears: unknown): FakeLeg | undefined
  /** Thrown by the next dials, as a bug of the telephony would. */
  broken: Error | null
  probe: Probe
}

interface Line extends PlacedCall {
  ladder: Message[]
  times: number[]
  leg: FakeLeg | null
  sipCallId: string
  phone: Phone
  state: 'calling' | 'answered' | 'over'
  /** Nobody of ours is there any more. */
  orphaned: boolean
  forget: (() => void)[]
  /** The ladder as a trace tells it. */
  passed: TraceMessage[]
  done(dialed: Dialed): void
}

/** Every phone that a test does not describe rings after half a second and is answered after two. */
const USUAL: Required<Omit<Phone, 'dead' | 'deaf' | 'transfer' | 'onAnswer'>> = {
  ringsAfter: 500,
  answersAfter: 2000,
  status: 200,
  says: [],
  hangsUpAfter: null,
}
/** sip.js gives an INVITE up that nobody answers (RFC 3261 §17.1.1.2, timer B). */
const TIMER_B_MS = 32_000

/** A trunk with a telephone behind each number, on simulated time. */
export function createFakeTrunk({ clock }: { clock: SimClock }): FakeTrunk {
  const phones = new Map<string, Phone>()
  const lines: Line[] = []
  const callers: FakeCaller[] = []
  let handler: ((call: IncomingCall) => void) | null = null

  async function dial(request: DialRequest): Promise<Dialed> {
    if (trunk.broken) throw trunk.broken
    if (request.signal.aborted) return canceled(null)
    const phone = phones.get(request.to) ?? {}
    const sipCallId = `sip-${lines.length + 1}-${request.callId}`
    const passed: TraceMessage[] = []
    request.onTrace?.({
      read: () => ({
        messages: passed.map((message) => ({ ...message })),
        omitted: 0,
        media: null,
      }),
      complete: Promise.resolve(),
    })
    await request.beforeInvite({ trunk: 'main', phase: 'invite', callId: sipCallId })
    if (request.signal.aborted) return canceled(null)
    return new Promise((done) => {
      const { to, from, callId } = request
      const line: Line = {
        ...{ to, from, callId, at: clock.now(), ladder: [], times: [], leg: null, sipCallId },
        ...{ phone, state: 'calling', orphaned: false, forget: [], passed, done },
      }
      lines.push(line)
      pass(line, 'INVITE')
      ring(line, request)
    })
  }

  /** What happens until the final response, or until we give up. */
  function ring(line: Line, request: DialRequest): void {
    const { phone } = line
    const { ringsAfter, answersAfter, status } = { ...USUAL, ...phone }
    const after = (ms: number | null, fn: () => void): void => {
      if (ms !== null) line.forget.push(clock.after(ms, fn))
    }
    const giveUp = (dialed: (code: number | null) => Dialed): void => {
      // Without a provisional response there is nothing to cancel (RFC 3261 §9.1).
      if (!phone.dead) {
        pass(line, 'CANCEL')
        pass(line, '487')
      }
      over(line, dialed(phone.dead ? null : 487))
    }
    const onAbort = (): void => {
      if (line.state === 'calling' && !line.orphaned) giveUp(canceled)
    }
    request.signal.addEventListener('abort', onAbort, { once: true })
    line.forget.push(() => request.signal.removeEventListener('abort', onAbort))
    after(request.ringTimeoutMs, () => {
      if (!line.orphaned) giveUp(phone.dead ? () => trunkError('no answer at all') : unanswered)
    })
    if (phone.dead === 'refused') over(line, trunkError('nothing listens there'))
    if (phone.dead === 'silent') after(TIMER_B_MS, () => over(line, trunkError('no answer at all')))
    if (phone.dead) return
    after(ringsAfter !== null && (answersAfter ?? 1e9) > ringsAfter ? ringsAfter : null, () => {
      pass(line, '180')
      if (!line.orphaned) request.onRinging()
    })
    after(answersAfter, () => {
      pass(line, String(status))
      if (status === 200) answer(line, request)
      else over(line, { failed: failureOf(status), sipCode: status, reason: String(status) })
    })
  }

  function answer(line: Line, request: DialRequest): void {
    for (const forget of line.forget.splice(0)) forget()
    line.state = 'answered'
    if (line.orphaned) return
    const leg = createFakeLeg({
      clock,
      says: line.phone.says ?? [],
      async transfer() {
        pass(line, 'REFER')
        await new Promise<void>((done) => clock.after(1000, done))
        return line.phone.transfer ?? { ok: true }
      },
    })
    line.leg = leg
    line.phone.onAnswer?.(leg)
    const { hangsUpAfter, deaf } = line.phone
    if (hangsUpAfter != null) line.forget.push(clock.after(hangsUpAfter, () => leg.humanHangsUp()))
    void leg.ended.then(({ by }) => {
      if (line.orphaned) return
      pass(line, by === 'human' ? 'BYE from them' : 'BYE')
      line.state = 'over'
      for (const forget of line.forget.splice(0)) forget()
    })
    const state: SipState = { trunk: 'main', phase: 'dialog', callId: line.sipCallId }
    request.onAnswered(state).catch(() => undefined)
    line.done({ answered: deaf ? withoutEnd(line, leg) : leg, state })
  }

  /** A leg that sends its BYE and never hears of it again. */
  function withoutEnd(line: Line, leg: FakeLeg): FakeLeg {
    let byes = 0
    const never = new Promise<never>(() => {})
    const hangup = (): Promise<void> => {
      if (byes++ === 0) pass(line, 'BYE')
      return never
    }
    return Object.create(leg, { hangup: { value: hangup }, ended: { value: never } })
  }

  function over(line: Line, dialed: Dialed): void {
    for (const forget of line.forget.splice(0)) forget()
    line.state = 'over'
    line.done(dialed)
  }

  function pass(line: Line, message: Message): void {
    line.ladder.push(message)
    line.times.push(clock.now())
    if (!line.orphaned) line.passed.push(traceMessage(message, clock.now()))
  }

  const trunk: FakeTrunk = {
    placed: lines,
    broken: null,
    probe: { name: 'trunk main', state: 'ready' },
    phone: (number, phone) => void phones.set(number, phone),
    legOf: (ears) => [...lines, ...callers].find(({ leg }) => leg?.ears === ears)?.leg ?? undefined,
    dial,
    takeCalls(taker) {
      handler = taker
    },
    callUs(caller) {
      const sipCallId = `sip-in-${callers.length + 1}`
      const came = fakeCaller({ ...caller, clock, sipCallId }, handler)
      callers.push(came)
      return came
    },
    async recover(state) {
      callers.find(({ sipCallId }) => sipCallId === state.callId)?.recover()
      const line = lines.find((candidate) => candidate.sipCallId === state.callId)
      if (!line || line.state === 'over') return
      pass(line, line.state === 'answered' ? 'BYE' : 'CANCEL')
      for (const forget of line.forget.splice(0)) forget()
      line.state = 'over'
    },
    async probes() {
      return [trunk.probe]
    },
    crash() {
      handler = null
      for (const caller of callers) caller.orphan()
      for (const line of lines) {
        if (line.state === 'over' || line.orphaned) continue
        line.orphaned = true
        // What still runs in the dead process comes to its end; nobody hears of it.
        line.done(canceled(null))
        line.leg?.end({ by: 'us' })
      }
    },
  }
  return trunk
}

function traceMessage(message: Message, at: number): TraceMessage {
  const received = /^\d|from them$/.test(message)
  return {
    at,
    direction: received ? 'received' : 'sent',
    trunk: 'main',
    transport: 'UDP',
    remote: '192.0.2.1:5060',
    summary: message.replace(' from them', ''),
    text: message,
    repeated: 0,
  }
}

const canceled = (sipCode: number | null): Dialed => ({
  failed: 'canceled',
  sipCode,
  reason: 'canceled before an answer',
})

const unanswered = (sipCode: number | null): Dialed => ({
  failed: 'no_answer',
  sipCode,
  reason: 'no answer while it rang',
})

const trunkError = (reason: string): Dialed => ({ failed: 'trunk_error', sipCode: null, reason })
