import { type Clock, sleep } from '../core/clock.ts'
import { reasonOf } from '../core/errors.ts'
import type { Part } from '../core/lifecycle.ts'
import type { Probe } from '../core/probe.ts'
import type { Readiness } from './ports.ts'

/** How often the engines are asked while nothing happens. */
const EVERY_MS = 5000
/** How long the first request after the start waits for the first answer. */
const FIRST_MS = 1500

export interface EngineReadiness extends Readiness, Part {
  /** Resolves when the engines were asked once, or after a moment. */
  first(): Promise<void>
  /** What the engines said last. */
  probes(): readonly Probe[]
}

/** Asks the engines in the background, so that accepting a call never waits for one. */
export function createReadiness(d: {
  clock: Clock
  probe(): Promise<readonly Probe[]>
  trunkNumbers: readonly string[]
  hasTrunk: boolean
}): EngineReadiness {
  let known: readonly Probe[] | undefined
  let stopped = false
  let forget = (): void => undefined
  let first: Promise<void> | undefined

  async function ask(): Promise<void> {
    known = await d
      .probe()
      .catch((error: unknown): Probe[] => [
        { name: 'engines', state: 'away', reason: reasonOf(error) },
      ])
    if (!stopped) forget = d.clock.after(EVERY_MS, () => void ask())
  }

  return {
    async start() {
      first = ask()
    },
    async stop() {
      stopped = true
      forget()
    },
    first: () => Promise.race([first ?? Promise.resolve(), sleep(d.clock, FIRST_MS)]),
    probes: () => known ?? [],
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

function sentence(probe: Probe): string {
  const reason = `${probe.name}: ${probe.reason ?? probe.state}`
  const mend = probe.mend === undefined ? 'See `landline doctor`.' : `Mend it with: ${probe.mend}`
  return `${reason.replace(/[.\s]*$/, '.')} ${mend}`
}
