import type { Job, JobStore } from '../scheduler/ports.ts'
import type { StoreParts } from './database.ts'
import { insertJob } from './job-rows.ts'
import { ensureLane, setLane } from './lane-rows.ts'

/**
 * A job without a lane has no limit to wait for. Each open lane offers its head, one
 * look-up in the index `job_ready`; the head that waited longest wins. A start that lies in the future (the clock
 * was set back) holds nothing up.
 */
const claimable = (kinds: string): string => `
  with head (id) as (
    select (select j.id from job j
            where j.state = 'ready' and j.lane = l.name and j.run_at <= $now and j.kind in (${kinds})
            order by j.run_at, j.id limit 1)
    from lane l
    where l.open_at <= $now
      and (l.pace_ms = 0 or l.last_start_at is null or l.last_start_at > $now
           or l.last_start_at + l.pace_ms <= $now)
      and (l.capacity is null
           or (select count(*) from job r where r.state = 'leased' and r.lane = l.name) < l.capacity)
    union all
    select (select j.id from job j
            where j.state = 'ready' and j.lane is null and j.run_at <= $now and j.kind in (${kinds})
            order by j.run_at, j.id limit 1)
  )
  select j.id as id, j.lane as lane from head join job j on j.id = head.id
  order by j.run_at, j.id limit 1`

const LEASE = `
  update job set state = 'leased', lease_owner = $owner, lease_until = $leaseUntil,
    attempt = attempt + 1, fence = fence + 1
  where id = $id
  returning id, kind, key, attempt, fence, run_at as "runAt"`

const STARTED = 'update lane set last_start_at = $now, last_start_job = $id where name = $lane'

/** Of a full lane only the leases count: a job of it may start when one of them ends. */
const nextDue = (kinds: string): string => `
  select min(at) as at from (
    select max(head, open_at, coalesce(last_start_at + pace_ms, 0)) as at from (
      select l.open_at, l.pace_ms, l.last_start_at,
        (select j.run_at from job j
         where j.state = 'ready' and j.lane = l.name and j.kind in (${kinds})
         order by j.run_at, j.id limit 1) as head
      from lane l
      where l.capacity is null
        or (select count(*) from job r where r.state = 'leased' and r.lane = l.name) < l.capacity
    ) where head is not null
    union all
    select (select j.run_at from job j
            where j.state = 'ready' and j.lane is null and j.kind in (${kinds})
            order by j.run_at, j.id limit 1)
    union all select min(lease_until) from job where state = 'leased'
  )`

/** Every write of a worker: it counts only while the lease is its own. */
const OURS = "id = $id and fence = $fence and state = 'leased'"
const RENEW = `update job set lease_until = $leaseUntil where ${OURS}`
const KEEP_DUE = `
  update job set run_at = run_at - ($seen - $now) where state = 'ready' and run_at > $now and run_at <= $seen`
const RELEASE = `
  update job set state = 'ready', lease_owner = null, lease_until = null, run_at = $runAt,
    attempt = attempt - $unbegun
  where ${OURS}`
/** Its start was a pace after the one before, so whoever comes next need not wait for that one either. */
const GIVE_BACK =
  'update lane set last_start_at = null, last_start_job = null where last_start_job = $id'
const FREE = "state = 'ready', lease_owner = null, lease_until = null"

type Values = Record<string, string | number | null>

/** The kinds as parameters of a statement: their names in it, and their values. */
function bind(kinds: readonly string[]): { names: string; values: Values } {
  return {
    names: kinds.map((_, i) => `$kind${i}`).join(', '),
    values: Object.fromEntries(kinds.map((kind, i) => [`kind${i}`, kind])),
  }
}

export function createJobStore({ sqlite, rows, tx, ids }: StoreParts): JobStore {
  const change = (sql: string, values: Values): number => sqlite.query(sql).run(values).changes
  return {
    add: (job) =>
      tx.write(() => {
        if (job.lane !== null) ensureLane(rows, job.lane)
        return insertJob(rows, ids, job)
      }),
    claim: (o) =>
      tx.write(() => {
        const { names, values } = bind(o.kinds)
        const found = sqlite
          .query<{ id: string; lane: string | null }, [Values]>(claimable(names))
          .get({ now: o.now, ...values })
        if (!found) return null
        if (found.lane !== null) change(STARTED, { now: o.now, id: found.id, lane: found.lane })
        return sqlite
          .query<Job, [Values]>(LEASE)
          .get({ id: found.id, owner: o.owner, leaseUntil: o.leaseUntil })
      }),
    renew: ({ id, fence, leaseUntil }) =>
      tx.write(() => change(RENEW, { id, fence, leaseUntil }) === 1),
    complete: ({ id, fence }) =>
      tx.write(() => change(`delete from job where ${OURS}`, { id, fence }) === 1),
    release: ({ id, fence, runAt, unbegun = false }) =>
      tx.write(() => {
        const released = change(RELEASE, { id, fence, runAt, unbegun: unbegun ? 1 : 0 }) === 1
        if (released && unbegun) change(GIVE_BACK, { id })
        return released
      }),
    rescue: (o) =>
      tx.write(() =>
        o.all
          ? change(`update job set ${FREE} where state = 'leased'`, {})
          : change(`update job set ${FREE} where state = 'leased' and lease_until <= $now`, {
              now: o.now,
            }),
      ),
    async keepDue({ seen, now }) {
      await tx.write(() => change(KEEP_DUE, { seen, now }))
    },
    async nextDue({ kinds }) {
      const { names, values } = bind(kinds)
      return tx.read(
        () => sqlite.query<{ at: number | null }, [Values]>(nextDue(names)).get(values)?.at ?? null,
      )
    },
    async setLane(lane) {
      await tx.write(() => setLane(rows, lane))
    },
  }
}
