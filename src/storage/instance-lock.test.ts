import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { silentLog } from '../core/log.ts'
import { lockInstance as lock } from './instance-lock.ts'

const directories: string[] = []
const lockInstance = (directory: string) => lock(directory, silentLog)

afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true })
})

function setup(): string {
  const directory = mkdtempSync(join(tmpdir(), 'landline-'))
  directories.push(directory)
  return directory
}

describe('the lock of a data directory', () => {
  it('is held by one server at a time', () => {
    const directory = setup()
    const held = lockInstance(directory)
    expect(() => lockInstance(directory)).toThrow(/another Landline server is running/)
    held.release()
    held.release()
    lockInstance(directory).release()
  })

  it('makes a directory that is not there yet, for this user only', () => {
    const directory = join(setup(), 'data')
    lockInstance(directory).release()
    expect(statSync(directory).mode & 0o777).toBe(0o700)
  })

  it('is per directory', () => {
    const [a, b] = [lockInstance(setup()), lockInstance(setup())]
    a.release()
    b.release()
  })

  it('is gone when its holder was killed', async () => {
    const directory = setup()
    const module = join(import.meta.dirname, 'instance-lock.ts')
    const script = `import { lockInstance } from ${JSON.stringify(module)}
      globalThis.lock = lockInstance(${JSON.stringify(directory)}, {})
      console.log('held')
      setInterval(() => {}, 1000)`
    const child = Bun.spawn([process.execPath, '-e', script], { stdout: 'pipe', stderr: 'inherit' })
    const { value } = await child.stdout.getReader().read()
    expect(new TextDecoder().decode(value)).toContain('held')
    expect(() => lockInstance(directory)).toThrow(/another Landline server is running/)
    child.kill('SIGKILL')
    await child.exited
    lockInstance(directory).release()
  })
})
