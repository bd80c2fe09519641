import { Database } from 'bun:sqlite'
import { reasonOf } from '../core/errors.ts'
import type { Log } from '../core/log.ts'

/** Calls that wait in the backup, but of which the replaced database knows that they were dialled. */
const BEGUN = `
  select kept.id from main.call kept join replaced.call later on later.id = kept.id
  where kept.status in ('scheduled', 'initiated', 'ringing', 'in_progress')
    and (later.status not in ('scheduled', 'initiated') or later.sip_state is not null)`

/** Calls that wait in the replaced database for a later attempt than the backup knows of. */
const TRIED_SINCE = `
  select kept.id from main.call kept join replaced.call later on later.id = kept.id
  where kept.status in ('scheduled', 'initiated', 'ringing', 'in_progress') and later.attempt > kept.attempt
    and later.status in ('scheduled', 'initiated') and later.sip_state is null`

/**
 * Nobody is rung again because a backup is older than their call: in the backup at `path` each call that was dialled
 * since ends as the replaced database at `replaced` says, or as interrupted where that knows no end; one that waits there
 * for its next attempt waits for that here too. A replaced
 * database that cannot be read (the reason for the restore, perhaps) tells nothing; that is logged.
 */
export function closeBegun(o: { path: string; replaced: string; now: number; log: Log }): void {
  const database = new Database(o.path, { readwrite: true })
  try {
    database.run('ATTACH ? AS replaced', [o.replaced])
    const ids = database.query<{ id: string }, []>(BEGUN).all()
    const tried = database.query<{ id: string }, []>(TRIED_SINCE).all()
    const close = database.transaction(() => {
      for (const { id } of ids) closeCall(database, id, o.now)
      for (const { id } of tried) keepAttempts(database, id)
    })
    close.immediate()
    if (ids.length > 0)
      o.log.warn('calls dialled since the backup are closed', { count: ids.length })
  } catch (error) {
    o.log.warn('the replaced database tells nothing of calls since the backup', {
      reason: reasonOf(error),
    })
  } finally {
    database.close()
  }
}

function closeCall(database: Database, id: string, now: number): void {
  const outcome = [
    'end_reason',
    'sip_code',
    'summary',
    'cost_cents',
    'duration_seconds',
    'started_at',
  ]
  const copied = outcome.map((name) => `${name} = later.${name}`).join(', ')
  database.run(
    `update main.call set ${copied}, status = later.status, ended_at = later.ended_at, hold_cents = 0, sip_state = null
     from replaced.call later
     where main.call.id = ?1 and later.id = ?1
       and later.status in ('completed', 'busy', 'no_answer', 'failed', 'canceled')`,
    [id],
  )
  database.run(
    `update main.call set status = 'failed', end_reason = 'interrupted', ended_at = ?2, hold_cents = 0, sip_state = null
     where id = ?1 and status in ('scheduled', 'initiated', 'ringing', 'in_progress')`,
    [id, now],
  )
  database.run(`delete from main.job where kind = 'call.run' and key = ?`, [id])
  database.run(
    `insert into main.call_event (call_id, seq, type, data)
     select ?1, coalesce(max(seq), 0) + 1, 'end', '{}' from main.call_event where call_id = ?1`,
    [id],
  )
}

/** The attempts that were made since the backup count: the call waits for the next one at the same time. */
function keepAttempts(database: Database, id: string): void {
  database.run(
    `update main.call set status = 'scheduled', attempt = later.attempt, call_at = later.call_at,
       sip_code = later.sip_code, hold_cents = 0, sip_state = null
     from replaced.call later where main.call.id = ?1 and later.id = ?1`,
    [id],
  )
  database.run(
    `update main.job set state = 'ready', lease_owner = null, lease_until = null,
       run_at = (select coalesce(later.call_at, run_at) from replaced.call later where later.id = ?1)
     where kind = 'call.run' and key = ?1`,
    [id],
  )
}
