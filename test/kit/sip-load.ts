/** Many calls to sipp, over a network that may do harm: for the bench and, scaled down, for the tests. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Harm, openRelay } from './lossy-relay.ts'
import { freePort, scratchDirectory, startPeer, untilBound } from './peers.ts'
import { startSipSide, trunkOptions } from './sip-side.ts'

export interface LoadResult {
  answered: number
  /** Why the others were not. */
  failures: string[]
  /** CPU of this process for each call, in ms; the peer is a process of its own. */
  cpuMsPerCall: number
  harmed: { lost: number; repeated: number; reordered: number }
}

/** `calls` calls, `perSecond` of them begun each second, each held for half a second. */
export async function callSipp(o: {
  calls: number
  perSecond: number
  harm?: Harm
}): Promise<LoadResult> {
  const port = await freePort()
  const scratch = scratchDirectory()
  const relay = await openRelay(port, o.harm ?? { seed: 1 })
  const through = o.harm ? relay.port : port
  const file = join(scratch.path, 'load.xml')
  const text = readFileSync(join(import.meta.dirname, '../interop/sipp/load.xml'), 'utf8')
  writeFileSync(file, text.replaceAll('CONTACT_PORT', String(through)))
  const where = ['-i', '127.0.0.1', '-p', String(port), '-mi', '127.0.0.1']
  const media = ['-mp', String(await freePort()), '-nostdin', '-recv_timeout', '40000']
  const sipp = startPeer('sipp', ['-sf', file, ...where, ...media], scratch.path)
  await untilBound(port)
  const side = await startSipSide([trunkOptions(through)])
  try {
    const before = process.cpuUsage()
    const outcomes = await Promise.all(
      Array.from({ length: o.calls }, async (_, n) => {
        await Bun.sleep((n * 1_000) / o.perSecond)
        // Traced, as the appliance traces every call.
        const onTrace = (): void => {}
        const wish = { callId: `call-${n}`, ringTimeoutMs: 40_000, onTrace }
        const dialed = await side.dial(wish).dialed
        if (!('answered' in dialed)) return dialed.reason
        await Bun.sleep(500)
        await dialed.answered.hangup()
        return null
      }),
    )
    const used = process.cpuUsage(before)
    const failures = outcomes.filter((reason): reason is string => reason !== null)
    const { lost, repeated, reordered } = relay.counts
    return {
      answered: o.calls - failures.length,
      failures,
      cpuMsPerCall: (used.user + used.system) / 1_000 / o.calls,
      harmed: { lost, repeated, reordered },
    }
  } finally {
    await side.telephony.stop()
    await sipp.stop()
    relay.close()
    scratch.remove()
  }
}
