import { Database } from 'bun:sqlite'
import {
  chmodSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { aCall, aWebhook, create } from '../../test/conformance/stores.ts'
import { openTestStorage, testIds } from '../../test/kit/open-test-storage.ts'
import { SimClock } from '../../test/kit/sim-clock.ts'
import { lockInstance } from './instance-lock.ts'

const roots: string[] = []
const opened: { close(): Promise<void> }[] = []

afterEach(async () => {
  for (const storage of opened.splice(0)) await storage.close()
  for (const root of roots.splice(0)) rmSync(root, { recursive: true })
})

function setup() {
  const root = mkdtempSync(join(tmpdir(), 'landline-'))
  roots.push(root)
  const directory = join(root, 'data')
  const path = join(directory, 'landline.db')
  let seed = 0
  const open = (o: Parameters<typeof openTestStorage>[0] = {}) => {
    const clock = new SimClock()
    const storage = openTestStorage({ path, clock, ids: testIds(clock, `${seed++}`), ...o })
    opened.push(storage)
    return storage
  }
  const mode = (file: string): number => statSync(file).mode & 0o777
  return { root, directory, path, open, mode }
}

describe('opening the storage', () => {
  it('makes directory, database and key for this user only', async () => {
    const { directory, path, open, mode } = setup()
    const storage = open()
    await create(storage, aCall(storage))
    expect(mode(directory)).toBe(0o700)
    for (const file of readdirSync(directory)) expect(mode(join(directory, file))).toBe(0o600)
    expect(readdirSync(directory)).toContain('secret.key')
    expect(mode(path)).toBe(0o600)
  })

  it('takes an empty directory for its own and leaves the rights of another alone', () => {
    const empty = setup()
    mkdirSync(empty.directory, { mode: 0o755 })
    empty.open()
    expect(empty.mode(empty.directory)).toBe(0o700)
    const shared = setup()
    mkdirSync(shared.directory, { mode: 0o755 })
    chmodSync(shared.directory, 0o755)
    writeFileSync(join(shared.directory, 'notes.txt'), 'mine')
    shared.open()
    expect(shared.mode(shared.directory)).toBe(0o755)
  })

  it('makes the account at the first open, with its credit, and follows its name', async () => {
    const { open } = setup()
    const first = await open().ledger.account()
    expect(first).toMatchObject({ name: 'Owner', balanceCents: 500 })
    const later = await open({ initialCreditCents: 900, accountName: 'Jane' }).ledger.account()
    expect(later).toEqual({ ...first, name: 'Jane' })
  })

  it('finds everything again', async () => {
    const { open } = setup()
    const before = open()
    const call = aCall(before)
    const hook = aWebhook(before)
    await create(before, call)
    await before.webhooks.create(hook)
    await before.close()
    const after = open()
    expect(await after.calls.get(call.id)).toEqual(call)
    expect(await after.webhooks.get(hook.id)).toEqual(hook)
  })

  it('commits what waits before it closes', async () => {
    const { open } = setup()
    const before = open()
    const call = aCall(before)
    const made = create(before, call)
    await before.close()
    expect(await made).toEqual({ created: true })
    expect(await open().calls.get(call.id)).toEqual(call)
  })

  it('keeps no secret of a webhook in the open', async () => {
    const { directory, path, open } = setup()
    const storage = open()
    await storage.webhooks.create(aWebhook(storage, { secret: 'whsec_in_the_open' }))
    await storage.close()
    for (const file of readdirSync(directory))
      expect(readFileSync(join(directory, file), 'latin1')).not.toContain('in_the_open')
    expect(readFileSync(path, 'latin1')).toContain('example.com/hook')
  })

  it('refuses to go on without its key, and with another', async () => {
    const { directory, open } = setup()
    await open().close()
    const file = join(directory, 'secret.key')
    const key = readFileSync(file, 'utf8')
    writeFileSync(file, '0'.repeat(64))
    expect(() => open()).toThrow(/sealed with another key/)
    rmSync(file)
    expect(() => open()).toThrow(/key that is missing.*secret\.key/)
    writeFileSync(file, key)
    expect(() => open()).not.toThrow()
  })

  it('refuses a damaged database with a hint at backups', async () => {
    const { path, open } = setup()
    const storage = open()
    for (let i = 0; i < 20; i++) await create(storage, aCall(storage, { holdCents: 1 }))
    await storage.close()
    const handle = openSync(path, 'r+')
    for (let page = 1; page < 12; page++)
      writeSync(handle, Buffer.alloc(400, 0xa5), 0, 400, page * 4096)
    closeSync(handle)
    expect(() => open({ check: true })).toThrow(/damaged .*landline restore FILE/)
    writeFileSync(path, 'this is no database at all, but a text of some length'.repeat(20))
    expect(() => open()).toThrow(/damaged .*landline restore FILE/)
  })

  it('reads the whole database for damage only where that is asked for', async () => {
    const { path, open } = setup()
    const storage = open()
    for (let i = 0; i < 200; i++) await create(storage, aCall(storage, { holdCents: 1 }))
    await storage.close()
    // The last page: none of the first reads needs it.
    const handle = openSync(path, 'r+')
    const { size } = statSync(path)
    writeSync(handle, Buffer.alloc(4096, 0xa5), 0, 4096, size - 4096)
    closeSync(handle)
    await open().close()
    expect(() => open({ check: true })).toThrow(/damaged .*landline restore FILE/)
  })

  it('says plainly that a place cannot be used', () => {
    const { root, open } = setup()
    writeFileSync(join(root, 'file'), '')
    const inFile = join(root, 'file', 'data')
    const sentence = (place: string, why: string) =>
      `The data directory ${place} cannot be used: ${why}. Set data_dir to a directory of this user's.`
    const why = 'a part of its path is a file'
    expect(() => open({ path: join(inFile, 'landline.db') })).toThrow(sentence(inFile, why))
    expect(() => lockInstance(inFile)).toThrow(sentence(inFile, why))
    const file = join(root, 'file')
    expect(() => lockInstance(file)).toThrow(sentence(file, why))
  })
})

describe('a backup', () => {
  it('is a whole database of its own, for this user only', async () => {
    const { root, open, mode } = setup()
    const storage = open()
    const call = aCall(storage)
    await create(storage, call)
    const file = join(root, 'backup.db')
    const { bytes } = await storage.backup(file)
    expect(bytes).toBe(statSync(file).size)
    expect(mode(file)).toBe(0o600)
    const copy = new Database(file, { readonly: true })
    expect(copy.query('select id from call').values()).toEqual([[call.id]])
    expect(copy.query('PRAGMA integrity_check').values()).toEqual([['ok']])
    copy.close()
  })

  it('overwrites nothing', async () => {
    const { root, open } = setup()
    const file = join(root, 'backup.db')
    writeFileSync(file, 'precious')
    await expect(open().backup(file)).rejects.toThrow(/exists already/)
    expect(readFileSync(file, 'utf8')).toBe('precious')
  })
})

describe('the probe', () => {
  it('is ready, away while nothing can be written, and ready again', async () => {
    const { path, open } = setup()
    const storage = open()
    expect(await storage.probe()).toMatchObject({ name: 'database', state: 'ready' })
    // Another process holds the write lock for longer than anybody waits.
    const other = new Database(path)
    other.run('BEGIN IMMEDIATE')
    const refused = create(storage, aCall(storage))
    const late = storage.clock.advance(3000)
    await expect(refused).rejects.toMatchObject({ code: 'storage_unavailable' })
    await late
    expect(await storage.probe()).toMatchObject({ state: 'away' })
    other.run('ROLLBACK')
    other.close()
    expect(await storage.probe()).toMatchObject({ state: 'ready' })
  })
})
