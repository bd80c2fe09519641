import type { Log } from '../core/log.ts'
import type { EngineReadiness } from './readiness.ts'

/** Says in the log what keeps every call from being made, and what mends it, once the engines have been asked. */
export async function warnMissing(d: { log: Log; readiness: EngineReadiness }): Promise<void> {
  const warn = (what: string, reason: string, mend: string | undefined): void =>
    d.log.warn('no call can be made yet', { what, reason, ...(mend === undefined ? {} : { mend }) })
  if (!d.readiness.hasTrunk())
    warn(
      'trunk',
      'no SIP trunk is configured',
      'add one under [[sip.trunks]] in landline.toml, then ask landline doctor',
    )
  await d.readiness.first()
  for (const { name, state, reason, mend } of d.readiness.probes())
    if (state === 'missing') warn(name, reason ?? 'it is missing', mend)
}
