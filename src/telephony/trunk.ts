/** All trunks as the rules of calls see them: one that dials over the first that works. */
import type { Dialed, DialRequest, SipState, Trunk } from '../calls/ports.ts'
import { maskNumber } from '../core/phone-number.ts'
import type { Probe } from '../core/probe.ts'
import { type DialDeps, dialOver } from './dial.ts'
import type { DialogLeg } from './dialog-leg.ts'
import { recover } from './recover.ts'
import type { Registration } from './sip/registration.ts'
import type { TrunkAgent } from './sip/trunk-agent.ts'

export interface Line {
  agent: TrunkAgent
  /** Null for a trunk that does not register. */
  registration: Registration | null
}

type Deps = Omit<DialDeps, 'onLeg'> & { lines: readonly Line[] }

/** `stop` ends what is being dialled and what is answered; it resolves when all of it is over. */
export interface Trunks extends Trunk {
  stop(): Promise<void>
}

export function createTrunk(deps: Deps): Trunks {
  const live = new Map<string, number>()
  const legs = new Set<DialogLeg>()
  const stopping = new AbortController()
  const running = new Set<Promise<unknown>>()

  async function dial(request: DialRequest): Promise<Dialed> {
    const signal = AbortSignal.any([request.signal, stopping.signal])
    let last: Dialed = { failed: 'trunk_error', sipCode: null, reason: 'no trunk is configured' }
    for (const { agent } of inOrder(deps.lines, request.from)) {
      if (signal.aborted)
        return { failed: 'canceled', sipCode: null, reason: 'canceled before an answer' }
      const { name, maxCalls } = agent.options
      if (maxCalls !== null && (live.get(name) ?? 0) >= maxCalls) {
        last = {
          failed: 'trunk_error',
          sipCode: null,
          reason: `trunk ${name} carries all its ${maxCalls} calls`,
        }
        continue
      }
      const { dialed, mayHaveRung } = await over(agent, { ...request, signal })
      report(agent, request, dialed)
      if (!('failed' in dialed) || dialed.failed !== 'trunk_error' || mayHaveRung) return dialed
      last = dialed
    }
    return last
  }

  /** Counts the call as the trunk's until it failed or its leg ended. */
  async function over(agent: TrunkAgent, request: DialRequest): ReturnType<typeof dialOver> {
    const { name } = agent.options
    live.set(name, (live.get(name) ?? 0) + 1)
    const release = (): void => {
      live.set(name, (live.get(name) ?? 1) - 1)
    }
    const onLeg = (leg: DialogLeg): void => {
      legs.add(leg)
      void leg.ended.then(() => legs.delete(leg))
    }
    try {
      const result = await dialOver(agent, request, { ...deps, onLeg })
      if ('answered' in result.dialed) void result.dialed.answered.ended.then(release)
      else release()
      return result
    } catch (error) {
      release()
      throw error
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
    recover: (state: SipState) =>
      recover(state, { ...deps, agents: deps.lines.map(({ agent }) => agent) }),
    probes: async () => probeLines(deps),
    async stop() {
      stopping.abort()
      await Promise.allSettled(running)
      await Promise.allSettled([...legs].map((leg) => leg.hangup()))
    },
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
