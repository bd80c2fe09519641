import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { testIds } from '../../test/kit/open-test-storage.ts'
import { SimClock } from '../../test/kit/sim-clock.ts'
import { createSecrets, loadSecretKey } from './secrets.ts'

const directories: string[] = []

afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true })
})

function setup() {
  const directory = mkdtempSync(join(tmpdir(), 'landline-'))
  directories.push(directory)
  const ids = testIds(new SimClock())
  return { directory, file: join(directory, 'secret.key'), ids }
}

describe('secrets', () => {
  it('open for what they were sealed for, and nothing else', () => {
    const { ids } = setup()
    const secrets = createSecrets(Buffer.alloc(32, 1), ids)
    const sealed = secrets.seal('whsec_ümläut', 'webhook 1')
    expect(sealed).not.toContain('whsec')
    expect(secrets.open(sealed, 'webhook 1')).toBe('whsec_ümläut')
    expect(() => secrets.open(sealed, 'webhook 2')).toThrow()
    expect(() => createSecrets(Buffer.alloc(32, 2), ids).open(sealed, 'webhook 1')).toThrow()
  })

  it('are sealed differently each time', () => {
    const secrets = createSecrets(Buffer.alloc(32, 1), setup().ids)
    expect(secrets.seal('same', 'x')).not.toBe(secrets.seal('same', 'x'))
  })

  it.each([
    ['cut', (sealed: string) => sealed.slice(0, 20)],
    ['empty', () => ''],
    ['of another version', (sealed: string) => sealed.replace('v1.', 'v2.')],
    ['changed', (sealed: string) => `${sealed.slice(0, -1)}${sealed.endsWith('A') ? 'B' : 'A'}`],
  ])('do not open when %s', (_, spoil) => {
    const secrets = createSecrets(Buffer.alloc(32, 1), setup().ids)
    const sealed = secrets.seal('a secret of some length', 'x')
    expect(() => secrets.open(spoil(sealed), 'x')).toThrow()
  })
})

describe('the key file', () => {
  it('is made once, for this user only', () => {
    const { directory, file, ids } = setup()
    const key = loadSecretKey({ file, ids, sealed: false })
    expect(key).toHaveLength(32)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readdirSync(directory)).toEqual(['secret.key'])
    const bytes = readFileSync(file)
    expect(loadSecretKey({ file, ids, sealed: true })).toEqual(key)
    expect(readFileSync(file)).toEqual(bytes)
  })

  it('is not made anew when secrets exist that it would not open', () => {
    const { file, ids } = setup()
    expect(() => loadSecretKey({ file, ids, sealed: true })).toThrow(/key that is missing/)
    expect(existsSync(file)).toBe(false)
  })

  it('is refused when it holds something else', () => {
    const { file, ids } = setup()
    writeFileSync(file, 'not a key')
    expect(() => loadSecretKey({ file, ids, sealed: false })).toThrow(/not a Landline key/)
    expect(readFileSync(file, 'utf8')).toBe('not a key')
  })
})
