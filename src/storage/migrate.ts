import type { Database } from 'bun:sqlite'
import { existsSync } from 'node:fs'
import { AppError } from '../core/errors.ts'
import { sha256 } from '../core/ids.ts'
import { copyDatabase } from './backup.ts'
import init from './migrations/0000_init.sql' with { type: 'text' }
import calls from './migrations/0001_calls.sql' with { type: 'text' }

export interface Migration {
  /** `0000_init`: its number and what it does. */
  tag: string
  sql: string
}

/** In order; append only. A test holds this list to drizzle-kit's journal. */
export const MIGRATIONS: readonly Migration[] = [
  { tag: '0000_init', sql: init },
  { tag: '0001_calls', sql: calls },
]

/**
 * Brings the database to the newest schema, in one transaction. An existing one is copied beside itself before
 * (`landline.db.before-0001`), unless `keepCopy` is false. Refuses, changing nothing, a database that a newer version wrote, one whose schema
 * was altered, and one that is not ours.
 */
export function migrate(
  sqlite: Database,
  o: { path: string; now: number; keepCopy?: boolean; migrations?: readonly Migration[] },
): void {
  const migrations = o.migrations ?? MIGRATIONS
  const applied = check(sqlite, o.path, migrations)
  if (applied === migrations.length) return
  if (applied > 0 && o.path !== ':memory:' && o.keepCopy !== false)
    copyBeside(sqlite, o.path, migrations[applied]?.tag ?? '')
  sqlite
    .transaction(() => {
      // Another process may have migrated since.
      for (let i = check(sqlite, o.path, migrations); i < migrations.length; i++)
        apply(sqlite, migrations[i] as Migration, i, o.now)
    })
    .immediate()
}

/** How many migrations were applied; throws when they are not the first of ours, or the schema is not theirs. */
function check(sqlite: Database, path: string, migrations: readonly Migration[]): number {
  const refuse = (why: string): never => {
    throw new AppError('storage_unavailable', `Opening the database ${path}: ${why}`)
  }
  if (!hasTable(sqlite, 'migration')) {
    const count = sqlite
      .query<{ n: number }, []>('select count(*) as n from sqlite_schema')
      .get()?.n
    return count ? refuse('it belongs to another program.') : 0
  }
  const applied = sqlite
    .query<{ tag: string; hash: string; fingerprint: string }, []>(
      'select tag, hash, fingerprint from migration order by id',
    )
    .all()
  if (applied.length > migrations.length)
    refuse('a newer version of Landline wrote it. Install that version, or restore a backup.')
  for (const [i, row] of applied.entries())
    if (row.hash !== sha256(migrations[i]?.sql ?? ''))
      refuse(`it was made by another build of Landline (${row.tag} differs). Restore a backup.`)
  const last = applied.at(-1)
  if (last && last.fingerprint !== fingerprint(sqlite))
    refuse('its tables were altered from outside. Undo that, or restore a backup.')
  return applied.length
}

function apply(sqlite: Database, migration: Migration, id: number, now: number): void {
  if (id === 0)
    sqlite.run(
      'create table migration (id integer primary key, tag text not null, hash text not null, ' +
        'fingerprint text not null, applied_at integer not null)',
    )
  for (const statement of migration.sql.split('--> statement-breakpoint'))
    if (statement.trim()) sqlite.run(statement)
  sqlite
    .query('insert into migration (id, tag, hash, fingerprint, applied_at) values (?, ?, ?, ?, ?)')
    .run(id, migration.tag, sha256(migration.sql), fingerprint(sqlite), now)
}

/** A hash over all tables, indexes, views and triggers. */
function fingerprint(sqlite: Database): string {
  const objects = sqlite
    .query<{ sql: string }, []>(
      "select type || ' ' || name || ' ' || sql as sql from sqlite_schema " +
        "where sql is not null and name not like 'sqlite!_%' escape '!' order by type, name",
    )
    .all()
  return sha256(objects.map((object) => object.sql).join('\n'))
}

function hasTable(sqlite: Database, name: string): boolean {
  return (
    sqlite.query("select 1 from sqlite_schema where type = 'table' and name = ?").get(name) !== null
  )
}

function copyBeside(sqlite: Database, path: string, tag: string): void {
  const wanted = `${path}.before-${tag.slice(0, 4)}`
  let copy = wanted
  for (let i = 2; existsSync(copy); i++) copy = `${wanted}-${i}`
  copyDatabase(sqlite, copy)
}
