import { Database } from 'bun:sqlite'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { SimClock } from '../../test/kit/sim-clock.ts'
import { createTransactions } from './transaction.ts'

function setup() {
  const sqlite = new Database(':memory:', { strict: true })
  sqlite.run('create table n (n integer primary key)')
  let commits = 0
  const run = sqlite.run.bind(sqlite)
  sqlite.run = (sql: string, ...rest: []) => {
    if (sql === 'COMMIT') commits++
    return run(sql, ...rest)
  }
  const clock = new SimClock()
  const tx = createTransactions({ sqlite, clock, defer: setImmediate })
  const insert = (n: number): number => {
    sqlite.query('insert into n values (?)').run(n)
    return n
  }
  const stored = (): number[] =>
    sqlite
      .query<{ n: number }, []>('select n from n order by n')
      .all()
      .map((row) => row.n)
  return { sqlite, tx, insert, stored, commits: () => commits }
}

describe('writes', () => {
  it('that wait together share one commit, in their order', async () => {
    const { tx, insert, stored, commits } = setup()
    const order: number[] = []
    await Promise.all([3, 1, 2].map((n) => tx.write(() => insert(n)).then((v) => order.push(v))))
    expect(order).toEqual([3, 1, 2])
    expect(stored()).toEqual([1, 2, 3])
    expect(commits()).toBe(1)
  })

  it('are committed in several parts when very many wait', async () => {
    const { tx, insert, stored, commits } = setup()
    await Promise.all(Array.from({ length: 200 }, (_, n) => tx.write(() => insert(n))))
    expect(stored()).toHaveLength(200)
    expect(commits()).toBeGreaterThan(1)
    expect(commits()).toBeLessThan(10)
  })

  it('that throw leave nothing behind and take no neighbour along', async () => {
    const { tx, insert, stored } = setup()
    const results = await Promise.allSettled([
      tx.write(() => insert(1)),
      tx.write(() => {
        insert(2)
        throw new Error('changed my mind')
      }),
      tx.write(() => {
        insert(3)
        insert(1)
      }),
      tx.write(() => insert(4)),
    ])
    expect(results.map((one) => one.status)).toEqual([
      'fulfilled',
      'rejected',
      'rejected',
      'fulfilled',
    ])
    expect(stored()).toEqual([1, 4])
  })

  it('may be added while others are committed', async () => {
    const { tx, insert, stored } = setup()
    await tx.write(() => insert(1)).then(() => tx.write(() => insert(2)))
    expect(stored()).toEqual([1, 2])
  })

  it('must be synchronous', async () => {
    const { tx, insert, stored } = setup()
    const late = tx.write(async () => insert(1))
    await expect(late).rejects.toThrow('must not be asynchronous')
    expect(stored()).toEqual([])
  })

  it('are refused together while the disk is full, and go on when it is not', async () => {
    const { sqlite, tx, stored } = setup()
    sqlite.run('create table blob (b blob)')
    sqlite.run('PRAGMA max_page_count = 4')
    const big = () => sqlite.query('insert into blob values (zeroblob(100000))').run()
    const small = () => sqlite.query('insert into n values (1)').run()
    const results = await Promise.allSettled([tx.write(small), tx.write(big)])
    for (const one of results)
      expect(one).toMatchObject({
        status: 'rejected',
        reason: { code: 'storage_unavailable', message: expect.stringContaining('disk is full') },
      })
    expect(tx.failure).toBe('the disk is full')
    expect(stored()).toEqual([])
    sqlite.run('PRAGMA max_page_count = 4000')
    await tx.write(big)
    expect(tx.failure).toBeNull()
  })
})

describe('while another process holds the lock', () => {
  function setupFile() {
    const directory = mkdtempSync(join(tmpdir(), 'landline-'))
    const path = join(directory, 'x.db')
    const sqlite = new Database(path, { create: true, strict: true })
    sqlite.run('PRAGMA journal_mode = WAL')
    sqlite.run('PRAGMA busy_timeout = 0')
    sqlite.run('create table n (n integer primary key)')
    const other = new Database(path)
    const clock = new SimClock()
    const tx = createTransactions({ sqlite, clock, defer: setImmediate })
    const insert = (n: number) => sqlite.query('insert into n values (?)').run(n)
    const end = (): void => {
      other.close()
      sqlite.close()
      rmSync(directory, { recursive: true })
    }
    return { sqlite, other, clock, tx, insert, end }
  }

  it('writes wait without the thread, and go through in their order when it is free', async () => {
    const { sqlite, other, clock, tx, insert, end } = setupFile()
    other.run('BEGIN IMMEDIATE')
    const done: number[] = []
    const add = (n: number) => void tx.write(() => insert(n)).then(() => done.push(n))
    add(2)
    await clock.advance(500)
    add(1)
    await clock.advance(500)
    expect([done, tx.failure]).toEqual([[], null])
    other.run('ROLLBACK')
    await clock.advance(50)
    expect(done).toEqual([2, 1])
    expect(sqlite.query('select count(*) from n').values()).toEqual([[2]])
    end()
  })

  it('writes are refused after two seconds, and at once while it lasts', async () => {
    const { other, clock, tx, insert, end } = setupFile()
    other.run('BEGIN IMMEDIATE')
    const refused: number[] = []
    const add = (n: number) => void tx.write(() => insert(n)).catch(() => refused.push(n))
    add(1)
    await clock.advance(2100)
    expect(refused).toEqual([1])
    expect(tx.failure).toContain('another process')
    add(2)
    await clock.advance(0)
    expect(refused).toEqual([1, 2])
    other.run('ROLLBACK')
    await tx.write(() => insert(3))
    expect(tx.failure).toBeNull()
    end()
  })

  it('the last writes wait no longer than the database itself does', async () => {
    const { other, tx, insert, end } = setupFile()
    other.run('BEGIN IMMEDIATE')
    const late = tx.write(() => insert(1))
    tx.finish()
    await expect(late).rejects.toMatchObject({ code: 'storage_unavailable' })
    end()
  })
})
