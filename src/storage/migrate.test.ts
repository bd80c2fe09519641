import { Database } from 'bun:sqlite'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { MIGRATIONS, type Migration, migrate } from './migrate.ts'

const made: { directory: string; sqlite: Database }[] = []

afterEach(() => {
  for (const { directory, sqlite } of made.splice(0)) {
    sqlite.close()
    rmSync(directory, { recursive: true })
  }
})

const first: Migration = { tag: '0000_init', sql: 'create table a (x integer)' }
const second: Migration = {
  tag: '0001_more',
  sql: 'create table b (y integer);--> statement-breakpoint\ninsert into b select x from a',
}

function setup(migrations: readonly Migration[] = [first]) {
  const directory = mkdtempSync(join(tmpdir(), 'landline-'))
  const path = join(directory, 'landline.db')
  const sqlite = new Database(path, { create: true })
  made.push({ directory, sqlite })
  const run = (wanted: readonly Migration[]): void =>
    migrate(sqlite, { path, now: 7, migrations: wanted })
  if (migrations.length > 0) run(migrations)
  const tables = (): unknown[] =>
    sqlite.query("select name from sqlite_schema where type = 'table' order by name").values()
  return { directory, path, sqlite, run, tables }
}

describe('migrations', () => {
  it('are those that drizzle-kit wrote, in its order', () => {
    const folder = join(import.meta.dirname, 'migrations')
    const journal = JSON.parse(readFileSync(join(folder, 'meta/_journal.json'), 'utf8'))
    const written = journal.entries.map(({ tag }: { tag: string }) => ({
      tag,
      sql: readFileSync(join(folder, `${tag}.sql`), 'utf8'),
    }))
    expect(MIGRATIONS).toEqual(written)
  })

  it('make a new database, once, without a copy', () => {
    const { directory, sqlite, run, tables } = setup()
    run([first])
    expect(tables()).toEqual([['a'], ['migration']])
    expect(sqlite.query('select id, tag, applied_at from migration').values()).toEqual([
      [0, '0000_init', 7],
    ])
    expect(readdirSync(directory)).toEqual(['landline.db'])
  })

  it('copy an existing database beside itself before they change it', () => {
    const { directory, path, sqlite, run } = setup()
    sqlite.run('insert into a values (41)')
    run([first, second])
    expect(sqlite.query('select y from b').values()).toEqual([[41]])
    const copy = `${path}.before-0001`
    expect(statSync(copy).mode & 0o777).toBe(0o600)
    const before = new Database(copy, { readonly: true })
    expect(before.query('select x from a').values()).toEqual([[41]])
    expect(() => before.query('select 1 from b')).toThrow()
    before.close()
    expect(readdirSync(directory).sort()).toEqual(['landline.db', 'landline.db.before-0001'])
  })

  it('leave the database as it was when one of them fails, and keep every copy', () => {
    const { path, run, tables } = setup()
    const broken = { tag: '0001_more', sql: 'create table b (y);--> statement-breakpoint\noops' }
    expect(() => run([first, broken])).toThrow()
    expect(tables()).toEqual([['a'], ['migration']])
    run([first, second])
    expect(statSync(`${path}.before-0001`).size).toBeGreaterThan(0)
    expect(statSync(`${path}.before-0001-2`).size).toBeGreaterThan(0)
  })

  it('refuse a database that a newer version wrote', () => {
    const { run, tables } = setup([first, second])
    expect(() => run([first])).toThrow(/newer version of Landline wrote it/)
    expect(tables()).toHaveLength(3)
  })

  it('refuse a database that another build made', () => {
    const { run } = setup()
    expect(() => run([{ ...first, sql: 'create table a (x text)' }, second])).toThrow(
      /another build of Landline \(0000_init differs\)/,
    )
  })

  it.each([
    ['a dropped table', 'drop table a'],
    ['another column', 'alter table a add column z text'],
    ['a trigger', 'create trigger t after insert on a begin select 1; end'],
  ])('refuse a database that was altered by %s', (_, sql) => {
    const { sqlite, run } = setup()
    sqlite.run(sql)
    expect(() => run([first, second])).toThrow(/altered from outside/)
  })

  it('refuse a database of another program', () => {
    const { sqlite, run, tables } = setup([])
    sqlite.run('create table notes (x)')
    expect(() => run([first])).toThrow(/belongs to another program/)
    expect(tables()).toEqual([['notes']])
  })
})
