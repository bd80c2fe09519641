/** All trunks as the rules of calls see them: one that dials over the first that works. */
import type { Dialed, DialRequest, SipState, Trunk } from '../calls/ports.ts'
import { maskNumber } from '../core/phone-number.ts'
import type { Probe } from '../core/probe.ts'
import { type DialDeps, dialOver } from './dial.ts'
import type { DialogLeg } from './dialog-leg.ts'
import { canceled } from './outcome.ts'
import { createPace } from './pace.ts'
import { recover } from './recover.ts'
import type { Registration } from './sip/registration.ts'
import type { Endpoint } from './sip/transport.ts'
import type { TrunkAgent } from './sip/trunk-agent.ts'
import { TraceRecorder } from './trace.ts'

export interface Line {
  agent: TrunkAgent
  /** Null for a trunk that does not register. */
  registration: Registration | null
}

type Deps = Omit<DialDeps, 'onLeg' | 'trace'> & { lines: readonly Line[] }

/** One trunk, for metrics. */
export interface TrunkStats {
  name: string
  /** Null for a trunk that does not register. */
  registered: boolean | null
  /** REGISTERs that were accepted and that failed so far. */
  registrations: number
  registrationFailures: number
  /** Calls that it carries, from before the INVITE to the end of the leg. */
  calls: number
}

/** `stop` ends what is being dialled and what is answered; it resolves when all of it is over. */
export interface Trunks extends Omit<Trunk, 'takeCalls'> {
  stats(): TrunkStats[]
  /** Whether a trunk could carry one call more. */
  hasRoom(agent: TrunkAgent): boolean
  /** Counts a call that came in as the trunk's until its leg ends; `stop` ends it too. */
  carry(agent: TrunkAgent, leg: DialogLeg): void
  stop(): Promise<void>
}

/** The phone may have rung: where no response says so, nobody knows what became of the INVITE. */
function orUnknown(dialed: Dialed): Dialed {
  if (!('failed' in dialed) || dialed.failed !== 'trunk_error') return dialed
  return dialed.sipCode === null ? { ...dialed, unknown: true } : dialed
}

/** Targets of one trunk that one call tries (RFC 3263 §4.3). */
const MAX_TARGETS = 4

export function createTrunk(deps: Deps): Trunks {
  const live = new Map<string, number>()
  const legs = new Set<DialogLeg>()
  const stopping = new AbortController()
  const running = new Set<Promise<unknown>>()
  const paces = new Map(
    deps.lines.map(({ agent: { options } }) => [
      options.name,
      createPace(deps.clock, options.perSecond),
    ]),
  )

  /** A leg that comes of it ends its trace; where there is none, it ends here. */
  async function dial(request: DialRequest): Promise<Dialed> {
    const trace = request.onTrace ? new TraceRecorder(deps.clock) : null
    if (trace) request.onTrace?.(trace)
    let answered = false
    try {
      const dialed = await dialInOrder(request, trace)
      answered = 'answered' in dialed
      return dialed
    } finally {
      if (!answered) trace?.finish()
    }
  }

  async function dialInOrder(request: DialRequest, trace: TraceRecorder | null): Promise<Dialed> {
    const signal = AbortSignal.any([request.signal, stopping.signal])
    let last: Dialed = { failed: 'trunk_error', sipCode: null, reason: 'no trunk is configured' }
    for (const { agent } of inOrder(deps.lines, request.from)) {
      if (signal.aborted) return canceled(null)
      const { name, maxCalls } = agent.options
      if (!hasRoom(agent)) {
        last = {
          failed: 'trunk_error',
          sipCode: null,
          reason: `trunk ${name} carries all its ${maxCalls} calls`,
        }
        continue
      }
      const { dialed, mayHaveRung } = await carry(agent, { ...request, signal }, trace)
      if (mayHaveRung) return orUnknown(dialed)
      if (!mayFailOver(dialed)) return dialed
      last = dialed
    }
    return last
  }

  function hasRoom({ options: { name, maxCalls } }: TrunkAgent): boolean {
    return maxCalls === null || (live.get(name) ?? 0) < maxCalls
  }

  /** Returns what takes it off again. */
  function count({ options: { name } }: TrunkAgent): () => void {
    live.set(name, (live.get(name) ?? 0) + 1)
    return () => void live.set(name, (live.get(name) ?? 1) - 1)
  }

  function keep(leg: DialogLeg): void {
    legs.add(leg)
    void leg.ended.then(() => legs.delete(leg))
  }

  /** Counts the call as the trunk's until it failed or its leg ended. */
  async function carry(
    agent: TrunkAgent,
    request: DialRequest,
    trace: TraceRecorder | null,
  ): ReturnType<typeof dialOver> {
    const release = count(agent)
    try {
      const result = await overTargets(agent, request, trace)
      if ('answered' in result.dialed) void result.dialed.answered.ended.then(release)
      else release()
      return result
    } catch (error) {
      release()
      throw error
    }
  }

  /** One after the other of the trunk's own targets, until one does more than fail before anything rang. */
  async function overTargets(
    agent: TrunkAgent,
    request: DialRequest,
    trace: TraceRecorder | null,
  ): ReturnType<typeof dialOver> {
    for (let n = 1; ; n++) {
      if (!(await paces.get(agent.options.name)?.wait(request.signal)))
        return { dialed: canceled(null), mayHaveRung: false }
      const sentTo: { endpoint: Endpoint | null } = { endpoint: null }
      const noted = { ...request, beforeInvite: noting(request, sentTo) }
      const result = await dialOver(agent, noted, { ...deps, onLeg: keep, trace })
      report(agent, request, result.dialed)
      const { endpoint } = sentTo
      if (endpoint === null || result.mayHaveRung || !isTargetsFault(result.dialed)) return result
      const other = agent.failOver(endpoint)
      if (!other || n >= MAX_TARGETS || request.signal.aborted) return result
    }
  }

  function report(agent: TrunkAgent, request: DialRequest, dialed: Dialed): void {
    const fields = { trunk: agent.options.name, callId: request.callId, to: maskNumber(request.to) }
    if ('answered' in dialed) deps.log.info('a call was answered', fields)
    else {
      const { failed, sipCode, reason } = dialed
      deps.log.info('a call was not answered', { ...fields, failed, sipCode, reason })
    }
  }

  return {
    dial(request) {
      const work = dial(request)
      running.add(work)
      const done = (): boolean => running.delete(work)
      work.then(done, done)
      return work
    },
    hasRoom,
    carry(agent, leg) {
      keep(leg)
      void leg.ended.then(count(agent))
    },
    recover: (state: SipState) =>
      recover(state, { ...deps, agents: deps.lines.map(({ agent }) => agent) }),
    probes: async () => probeLines(deps),
    stats: () => deps.lines.map((line) => statsOf(line, live.get(line.agent.options.name) ?? 0)),
    async stop() {
      stopping.abort()
      await Promise.allSettled(running)
      await Promise.allSettled([...legs].map((leg) => leg.hangup()))
    },
  }
}

/** Whether another way may be tried: this one failed, or says 408, which a proxy says when nobody answered it. */
function mayFailOver(dialed: Dialed): boolean {
  return 'failed' in dialed && (dialed.failed === 'trunk_error' || dialed.sipCode === 408)
}

/** RFC 3263 §4.3: no answer, a refusal of the network, or 503. */
function isTargetsFault(dialed: Dialed): boolean {
  if (!('failed' in dialed) || !mayFailOver(dialed)) return false
  return dialed.sipCode === null || dialed.sipCode === 503 || dialed.sipCode === 408
}

/** The request's `beforeInvite`, which also writes down where the INVITE goes. */
function noting(
  request: DialRequest,
  sentTo: { endpoint: Endpoint | null },
): DialRequest['beforeInvite'] {
  return async (state) => {
    sentTo.endpoint = state.destination as Endpoint
    await request.beforeInvite(state)
  }
}

function statsOf({ agent, registration }: Line, calls: number): TrunkStats {
  return {
    name: agent.options.name,
    registered: registration && registration.state.is === 'registered',
    registrations: registration?.counts.accepted ?? 0,
    registrationFailures: registration?.counts.failed ?? 0,
    calls,
  }
}

/** As configured, but a trunk that owns the caller's number comes before those that do not. */
function inOrder(lines: readonly Line[], from: string): Line[] {
  const owns = (line: Line): boolean => line.agent.options.numbers.includes(from)
  return [...lines.filter(owns), ...lines.filter((line) => !owns(line))]
}

function probeLines(deps: Deps): Probe[] {
  if (deps.lines.length === 0)
    return [
      {
        name: 'trunk',
        state: 'missing',
        reason: 'no SIP trunk is configured',
        mend: 'add one under [[sip.trunks]] in landline.toml',
      },
    ]
  return deps.lines.map((line) => probeLine(line, deps.stack.transport.open))
}

function probeLine({ agent, registration }: Line, open: boolean): Probe {
  const name = `trunk ${agent.options.name}`
  if (!open) return { name, state: 'away', reason: 'the SIP socket is not open' }
  if (!registration) return { name, state: 'ready', reason: 'it needs no registration' }
  const state = registration.state
  if (state.is === 'registered') return { name, state: 'ready', reason: 'registered' }
  const reason = state.is === 'failed' ? state.reason : 'not registered yet'
  const mend = `check host, username and password of the trunk ${agent.options.name}`
  return { name, state: 'away', reason, ...(state.is === 'failed' ? { mend } : {}) }
}
