import { Database } from 'bun:sqlite'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { aWebhook } from '../conformance/stores.ts'
import { openTestStorage } from '../kit/open-test-storage.ts'

const KILLS = 10
const directories: string[] = []

afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true })
})

/** Runs the child, kills it `ms` after its first word, and returns what it had said. */
async function killed(path: string, ms: number): Promise<string[]> {
  const script = join(import.meta.dirname, 'storage-crash-child.ts')
  const child = Bun.spawn([process.execPath, script, path], { stdout: 'pipe', stderr: 'inherit' })
  let said = ''
  // One that never says anything is killed all the same.
  const kill = (): void => child.kill('SIGKILL')
  const guard = setTimeout(kill, 20_000)
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    if (said === '') setTimeout(kill, ms)
    said += chunk
  }
  await child.exited
  clearTimeout(guard)
  // A last line that is cut was not said.
  return said.split('\n').slice(0, -1)
}

describe('a process that is killed while it writes', () => {
  it(`has lost nothing of what it acknowledged, ${KILLS} times over`, async () => {
    const directory = mkdtempSync(join(tmpdir(), 'landline-'))
    directories.push(directory)
    const path = join(directory, 'landline.db')
    const before = openTestStorage({ path })
    const hook = aWebhook(before)
    await before.webhooks.create(hook)
    await before.close()

    const said: string[] = []
    for (let i = 0; i < KILLS; i++) {
      const now = await killed(path, 20 + 37 * i)
      expect(now.length).toBeGreaterThan(0)
      said.push(...now)
    }
    const acknowledged = (what: string): string[] =>
      said.filter((line) => line.startsWith(`${what} `)).map((line) => line.slice(what.length + 1))
    expect(acknowledged('settled').length).toBeGreaterThan(KILLS)

    const sqlite = new Database(path, { readonly: true })
    const ids = (sql: string): string[] => sqlite.query(sql).values().flat() as string[]
    expect(ids('PRAGMA integrity_check')).toEqual(['ok'])
    expect(ids('PRAGMA foreign_key_check')).toEqual([])
    const missing = (wanted: string[], sql: string): string[] => {
      const there = new Set(ids(sql))
      return wanted.filter((id) => !there.has(id))
    }
    expect(missing(acknowledged('created'), 'select id from call')).toEqual([])
    expect(missing(acknowledged('created'), 'select key from idempotency')).toEqual([])
    expect(missing(acknowledged('spoken'), 'select call_id from turn')).toEqual([])
    const settled = ids("select id from call where status = 'failed'")
    expect(missing(acknowledged('settled'), "select id from call where status = 'failed'")).toEqual(
      [],
    )
    // What belongs together is there together, also for what nobody heard of.
    const parts = [
      "select call_id from ledger_entry where kind = 'call'",
      'select call_id from delivery',
      "select call_id from call_event where type = 'end'",
    ]
    for (const sql of parts) expect(ids(sql).sort()).toEqual([...settled].sort())
    const waiting = ids("select id from call where status = 'initiated'")
    expect(ids("select key from job where kind = 'call.run'").sort()).toEqual(waiting.sort())
    sqlite.close()

    const after = openTestStorage({ path })
    expect((await after.ledger.account()).balanceCents).toBe(500 - 3 * settled.length)
    await after.close()
  })
})
