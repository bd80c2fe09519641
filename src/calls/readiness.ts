import { type Clock, sleep } from '../core/clock.ts'
import { reasonOf } from '../core/errors.ts'
import type { Part } from '../core/lifecycle.ts'
import type { Probe } from '../core/probe.ts'
import type { Readiness } from './ports.ts'

/** How often the engines are asked while nothing happens. */
const EVERY_MS = 5000
/** An engine that has not answered after this is told as away. */
const LONGEST_PROBE_MS = 15_000

export interface AskedEngine {
  /** What it is called while it does not answer. */
  name: string
  probe(): Promise<Probe>
  /** Built in: begun only where a call is possible at all, that is where nothing else is missing. */
  builtIn?: boolean
}

export interface EngineReadiness extends Readiness, Part {
  /** What the engines said last; before that, that they are being asked. */
  probes(): readonly Probe[]
}

const BEING_ASKED: readonly Probe[] = [
  { name: 'engines', state: 'away', reason: 'they are being asked for the first time' },
]

/** Asks the engines in the background, so that accepting a call never waits for one. */
export function createReadiness(d: {
  clock: Clock
  engines: readonly AskedEngine[]
  trunkNumbers: readonly string[]
  hasTrunk: boolean
}): EngineReadiness {
  const ask = createAsk(d.clock)
  const builtIn = d.engines.filter((engine) => engine.builtIn)
  const others = d.engines.filter((engine) => !engine.builtIn)
  const first = Promise.withResolvers<void>()
  let known: readonly Probe[] | undefined
  let started = false
  let stopped = false
  let forget = (): void => undefined

  async function askAll(): Promise<void> {
    const answers = await Promise.all(others.map(ask))
    const possible = answers.every((probe) => probe.state !== 'missing')
    if (possible && !stopped) answers.unshift(...(await Promise.all(builtIn.map(ask))))
    if (stopped) return
    known = answers
    first.resolve()
    forget = d.clock.after(EVERY_MS, () => void askAll())
  }

  return {
    async start() {
      started = true
      void askAll()
    },
    async stop() {
      stopped = true
      forget()
      first.resolve()
    },
    first: () => (started ? first.promise : Promise.resolve()),
    probes: () => known ?? BEING_ASKED,
    engines() {
      if (!known) return { state: 'unknown', reason: 'The engines have not been asked yet.' }
      for (const state of ['missing', 'away'] as const) {
        const bad = known.find((probe) => probe.state === state)
        if (bad) return { state, reason: sentence(bad) }
      }
      return { state: 'ready', reason: '' }
    },
    trunkNumbers: () => d.trunkNumbers,
    hasTrunk: () => d.hasTrunk,
  }
}

/** Asks one engine; away when it throws or does not answer in time. One that still owes an answer is not asked again. */
function createAsk(clock: Clock): (engine: AskedEngine) => Promise<Probe> {
  const owed = new Map<AskedEngine, Promise<Probe>>()

  async function answerOf(engine: AskedEngine): Promise<Probe> {
    try {
      return await engine.probe()
    } catch (error) {
      return { name: engine.name, state: 'away', reason: reasonOf(error) }
    } finally {
      owed.delete(engine)
    }
  }

  return async (engine) => {
    const answer = owed.get(engine) ?? answerOf(engine)
    owed.set(engine, answer)
    const patience = new AbortController()
    const late = sleep(clock, LONGEST_PROBE_MS, patience.signal).then((): Probe => {
      const reason = `no answer within ${LONGEST_PROBE_MS / 1000} s`
      return { name: engine.name, state: 'away', reason }
    })
    try {
      return await Promise.race([answer, late])
    } finally {
      patience.abort()
    }
  }
}

function sentence(probe: Probe): string {
  const reason = `${probe.name}: ${probe.reason ?? probe.state}`
  const mend = probe.mend === undefined ? 'See `landline doctor`.' : `Mend it with: ${probe.mend}`
  return `${reason.replace(/[.\s]*$/, '.')} ${mend}`
}
