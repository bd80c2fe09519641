import { describe, expect, it } from 'vitest'
import { SimClock, settle } from '../../test/kit/sim-clock.ts'
import { silentLog } from '../core/log.ts'
import type { Probe } from '../core/probe.ts'
import { createReadiness } from './readiness.ts'
import { warnMissing } from './warn-missing.ts'

async function warnings(o: { hasTrunk: boolean; probes: Probe[] }) {
  const told: Record<string, unknown>[] = []
  const readiness = createReadiness({
    clock: new SimClock(),
    engines: o.probes.map((probe) => ({ name: probe.name, probe: async () => probe })),
    trunkNumbers: [],
    hasTrunk: o.hasTrunk,
  })
  await readiness.start()
  const log = {
    ...silentLog,
    warn: (message: string, fields = {}) => void told.push({ message, ...fields }),
  }
  await warnMissing({ log, readiness })
  await settle()
  await readiness.stop()
  return told
}

describe('at its start the appliance', () => {
  it('names what no call can be made without, and what mends it', async () => {
    const reason = 'no model is chosen'
    const mend = 'set llm.model'
    const model: Probe = { name: 'language model', state: 'missing', reason, mend }
    const told = await warnings({ hasTrunk: false, probes: [model] })
    expect(told).toMatchObject([
      { what: 'trunk', mend: expect.stringContaining('[[sip.trunks]]') },
      { what: 'language model', reason: 'no model is chosen', mend: 'set llm.model' },
    ])
  })

  it('is silent where all is configured, also what is away for the moment', async () => {
    const probes: Probe[] = [
      { name: 'voice', state: 'ready' },
      { name: 'language model', state: 'away', reason: 'connection refused' },
    ]
    expect(await warnings({ hasTrunk: true, probes })).toEqual([])
  })
})
