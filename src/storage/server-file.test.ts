import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { lockInstance } from './instance-lock.ts'
import { findServer, type ServerFacts, tellServer } from './server-file.ts'

const directories: string[] = []
afterEach(() => {
  for (const one of directories.splice(0)) rmSync(one, { recursive: true })
})

function setup() {
  const dataDir = mkdtempSync(join(tmpdir(), 'landline-server-'))
  directories.push(dataDir)
  return { dataDir, file: join(dataDir, 'landline.server.json') }
}

const FACTS: ServerFacts = {
  pid: 4711,
  startedAt: 1774031400000,
  url: 'http://127.0.0.1:3000',
  file: '/etc/landline.toml',
  listens: { 'http.port': 3000 },
}

describe('the server of a data directory', () => {
  it('is found while it holds it, and tells of itself', () => {
    const { dataDir, file } = setup()
    expect(findServer(dataDir)).toBeNull()
    const lock = lockInstance(dataDir)
    expect(findServer(dataDir)).toBe('unknown')
    const untell = tellServer(dataDir, FACTS)
    expect(findServer(dataDir)).toEqual(FACTS)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    untell()
    lock.release()
    expect(findServer(dataDir)).toBeNull()
    expect(existsSync(file)).toBe(false)
  })

  it('is none when its process died, whatever it left', () => {
    const { dataDir } = setup()
    lockInstance(dataDir).release()
    tellServer(dataDir, FACTS)
    expect(findServer(dataDir)).toBeNull()
  })

  it.each([
    '',
    '{',
    '[]',
    'null',
    '{"pid":"x"}',
    `{"pid":1,"startedAt":1e99,"url":"x"}`,
    'x'.repeat(99_999),
  ])('says no more of itself in a file of %j', (text) => {
    const { dataDir, file } = setup()
    const lock = lockInstance(dataDir)
    writeFileSync(file, text)
    expect(findServer(dataDir)).toBe('unknown')
    lock.release()
  })

  it('is started while somebody looks', () => {
    const { dataDir } = setup()
    for (let i = 0; i < 20; i++) {
      findServer(dataDir)
      lockInstance(dataDir).release()
    }
  })
})
