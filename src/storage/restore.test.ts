import { Database } from 'bun:sqlite'
import { copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { aCall, create } from '../../test/conformance/stores.ts'
import { openTestStorage, testIds } from '../../test/kit/open-test-storage.ts'
import { SimClock } from '../../test/kit/sim-clock.ts'
import { silentLog } from '../core/log.ts'
import { lockInstance } from './instance-lock.ts'
import { restoreDatabase } from './restore.ts'

const roots: string[] = []
afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true })
})

/** A data directory with one call, and a backup that has it alone; then a second call is made. */
async function setup() {
  const root = mkdtempSync(join(tmpdir(), 'landline-'))
  roots.push(root)
  const dataDir = join(root, 'data')
  const path = join(dataDir, 'landline.db')
  const file = join(root, 'backup.db')
  const clock = new SimClock()
  const ids = testIds(clock)
  const open = () => openTestStorage({ path, clock, ids })
  const storage = open()
  const kept = aCall(storage)
  await create(storage, kept)
  await storage.backup(file)
  await create(storage, aCall(storage))
  await storage.close()
  const restore = (from = file) =>
    restoreDatabase({ dataDir, file: from, clock, ids, log: silentLog })
  const calls = async (field: 'id' | 'name' = 'id') => {
    const opened = open()
    const found = await opened.calls.list({ limit: 9, cursor: null })
    await opened.close()
    return found.map((call) => call[field])
  }
  return { root, dataDir, path, file, kept, restore, calls }
}

describe('restoring a backup', () => {
  it('puts it in place and keeps what was there, which can be restored again', async () => {
    const { kept, restore, calls, dataDir } = await setup()
    const { replaced } = await restore()
    expect(await calls()).toEqual([kept.id])
    expect(replaced).toContain('landline.db.replaced-')
    await restore(replaced ?? '')
    expect(await calls()).toHaveLength(2)
    expect(readdirSync(dataDir).filter((name) => name.startsWith('restore-'))).toEqual([])
  })

  it('takes the log of a database along that was set aside with it', async () => {
    const { root, path, restore, calls } = await setup()
    const live = new Database(path)
    live.run('PRAGMA journal_mode = WAL')
    live.run('PRAGMA wal_autocheckpoint = 0')
    live.run("update call set name = 'in the log'")
    const file = join(root, 'aside.db')
    for (const end of ['', '-wal']) copyFileSync(`${path}${end}`, `${file}${end}`)
    expect(statSync(`${file}-wal`).size).toBeGreaterThan(0)
    live.run("update call set name = 'later'")
    live.close()
    await restore(file)
    expect(await calls('name')).toEqual(['in the log', 'in the log'])
  })

  it('changes nothing for a database that was altered, and leaves nothing of it', async () => {
    const { root, file, dataDir, calls, restore } = await setup()
    const before = await calls()
    const broken = join(root, 'broken.db')
    copyFileSync(file, broken)
    const sqlite = new Database(broken)
    sqlite.run('drop table turn')
    sqlite.close()
    await expect(restore(broken)).rejects.toMatchObject({ code: 'storage_unavailable' })
    expect(await calls()).toEqual(before)
    expect(readdirSync(dataDir).filter((name) => /restore|before|replaced/.test(name))).toEqual([])
  })

  it('is refused while a server runs, and for a file that is not there', async () => {
    const { dataDir, restore, root } = await setup()
    const lock = lockInstance(dataDir, silentLog)
    await expect(restore()).rejects.toMatchObject({ code: 'conflict' })
    lock.release()
    await expect(restore(join(root, 'none.db'))).rejects.toThrow('there is no such file')
    expect(existsSync(join(dataDir, 'landline.db'))).toBe(true)
  })

  it('rings nobody again who was called after the backup was made', async () => {
    const { kept, restore, path } = await setup()
    const later = new Database(path)
    later.run(
      "update call set status = 'completed', end_reason = 'agent_hangup', cost_cents = 7 where id = ?",
      [kept.id],
    )
    later.close()
    await restore()
    const restored = new Database(path, { readonly: true })
    const call = restored.query(
      'select status, end_reason, cost_cents, hold_cents from call where id = ?',
    )
    expect(call.get(kept.id)).toEqual({
      status: 'completed',
      end_reason: 'agent_hangup',
      cost_cents: 7,
      hold_cents: 0,
    })
    expect(restored.query('select * from job where key = ?').all(kept.id)).toEqual([])
    restored.close()
  })

  it('closes as interrupted what was being dialled when the database was replaced', async () => {
    const { kept, restore, path } = await setup()
    const later = new Database(path)
    later.run("update call set sip_state = '{}' where id = ?", [kept.id])
    later.close()
    await restore()
    const status = (): unknown => {
      const database = new Database(path, { readonly: true })
      const row = database.query('select status, end_reason from call where id = ?').get(kept.id)
      database.close()
      return row
    }
    expect(status()).toEqual({ status: 'failed', end_reason: 'interrupted' })
  })

  it('counts the attempts that were made since: the next one comes when it was due', async () => {
    const { kept, restore, path } = await setup()
    const later = new Database(path)
    later.run(
      "update call set status = 'scheduled', attempt = 2, call_at = 1774031700000, sip_code = 486, sip_state = null where id = ?",
      [kept.id],
    )
    later.close()
    await restore()
    const database = new Database(path, { readonly: true })
    const call = database.query(
      'select status, attempt, call_at, sip_code, hold_cents from call where id = ?',
    )
    expect(call.get(kept.id)).toEqual({
      ...{ status: 'scheduled', attempt: 2, call_at: 1774031700000, sip_code: 486, hold_cents: 0 },
    })
    const job = database.query('select state, run_at from job where key = ?')
    expect(job.all(kept.id)).toEqual([{ state: 'ready', run_at: 1774031700000 }])
    database.close()
  })

  it('leaves a call alone that was not dialled since', async () => {
    const { kept, restore, path } = await setup()
    await restore()
    const database = new Database(path, { readonly: true })
    const jobs = database.query('select * from job where key = ?').all(kept.id)
    database.close()
    expect(jobs).toHaveLength(1)
  })
})
