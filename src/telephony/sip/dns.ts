/** What is asked of the name system, bounded in time: an answer that does not come is none. */
import { lookup, resolveNaptr, resolveSrv } from 'node:dns/promises'
import type { Clock } from '../../core/clock.ts'
import { reasonOf } from '../../core/errors.ts'

const ADDRESS_PATIENCE_MS = 5_000
/** Most hosts publish neither SRV nor NAPTR; a name server that swallows the question must not hold up a call. */
const SERVICE_PATIENCE_MS = 2_000

export interface SrvRecord {
  /** The target; `.` says that the service is not offered here (RFC 2782). */
  name: string
  port: number
  priority: number
  weight: number
}

export interface NaptrRecord {
  order: number
  preference: number
  flags: string
  service: string
  replacement: string
}

/** Name resolution. Each may reject: for SRV and NAPTR that means there are none. */
export interface Dns {
  addresses(host: string): Promise<{ address: string; family: number }[]>
  srv(name: string): Promise<SrvRecord[]>
  naptr(name: string): Promise<NaptrRecord[]>
}

/** The system's; `addresses` knows the hosts file too. */
export const systemDns: Dns = {
  addresses: (host) => lookup(host, { all: true }),
  srv: (name) => resolveSrv(name),
  naptr: (name) => resolveNaptr(name),
}

/** All addresses of a host, of whatever family. Rejects with what was looked up and why it failed. */
export async function addressesOf(
  host: string,
  o: { clock: Clock; dns: Dns },
): Promise<{ address: string; family: number }[]> {
  try {
    return await within(o.clock, ADDRESS_PATIENCE_MS, o.dns.addresses(host))
  } catch (error) {
    throw new Error(`looking up ${host}: ${reasonOf(error)}`, { cause: error })
  }
}

/** Empty when there are none, or the question failed. */
export function srvOf(name: string, o: { clock: Clock; dns: Dns }): Promise<SrvRecord[]> {
  return within(o.clock, SERVICE_PATIENCE_MS, o.dns.srv(name)).catch(() => [])
}

/** Empty when there are none, or the question failed. */
export function naptrOf(name: string, o: { clock: Clock; dns: Dns }): Promise<NaptrRecord[]> {
  return within(o.clock, SERVICE_PATIENCE_MS, o.dns.naptr(name)).catch(() => [])
}

function within<T>(clock: Clock, ms: number, work: Promise<T>): Promise<T> {
  return new Promise((done, fail) => {
    const forget = clock.after(ms, () => fail(new Error(`no answer within ${ms / 1_000} s`)))
    work.then(done, fail).finally(forget)
  })
}
