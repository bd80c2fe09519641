import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { unpackNative } from './unpack.ts'

const made: string[] = []

function setup() {
  const dataDir = mkdtempSync(join(tmpdir(), 'landline-unpack-'))
  made.push(dataDir)
  return { dataDir }
}

afterEach(() => {
  for (const dir of made.splice(0)) rmSync(dir, { recursive: true, force: true })
})

describe('unpacking the inference runtime', () => {
  it('puts binding and library side by side in a directory for the owner only', () => {
    const { dataDir } = setup()
    const binding = unpackNative(join(dataDir, 'data'))
    const dir = dirname(binding)
    expect(readdirSync(dir).sort()).toEqual(['libonnxruntime.so.1', 'onnxruntime_binding.node'])
    expect(statSync(dir).mode & 0o777).toBe(0o700)
    expect(statSync(join(dataDir, 'data/runtime')).mode & 0o777).toBe(0o700)
  })

  it('leaves unharmed files alone and replaces a truncated one', () => {
    const { dataDir } = setup()
    const binding = unpackNative(dataDir)
    const library = join(dirname(binding), 'libonnxruntime.so.1')
    const before = { binding: statSync(binding).ino, size: statSync(library).size }
    truncateSync(library, 1_000_000)
    unpackNative(dataDir)
    expect(statSync(library).size).toBe(before.size)
    expect(statSync(binding).ino).toBe(before.binding)
  })

  it('removes what a killed process left behind, not what a living one writes', () => {
    const { dataDir } = setup()
    const dir = dirname(unpackNative(dataDir))
    const dead = join(dir, 'libonnxruntime.so.1.part-4194304-1')
    const alive = join(dir, `libonnxruntime.so.1.part-${process.pid}-99`)
    for (const path of [dead, alive]) writeFileSync(path, 'x')
    truncateSync(join(dir, 'onnxruntime_binding.node'), 10)
    unpackNative(dataDir)
    expect(existsSync(dead)).toBe(false)
    expect(existsSync(alive)).toBe(true)
  })

  it('loads no code from a directory that everybody may write to', () => {
    const { dataDir } = setup()
    mkdirSync(join(dataDir, 'runtime'))
    chmodSync(join(dataDir, 'runtime'), 0o777)
    expect(() => unpackNative(dataDir)).toThrow(/runtime is writable by everybody.*chmod o-w/)
    chmodSync(join(dataDir, 'runtime'), 0o700)
    chmodSync(dataDir, 0o777)
    expect(() => unpackNative(dataDir)).toThrow(/writable by everybody/)
  })

  it('says what it could not make when the data directory is a file', () => {
    const { dataDir } = setup()
    writeFileSync(join(dataDir, 'file'), '')
    expect(() => unpackNative(join(dataDir, 'file'))).toThrow(
      /cannot make .*file\/runtime.* for the inference runtime: /,
    )
  })

  it('says that the disk is full, and leaves nothing half written', () => {
    const { dataDir } = setup()
    const dir = dirname(unpackNative(dataDir))
    truncateSync(join(dir, 'onnxruntime_binding.node'), 10)
    const full = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
    const write = (): never => {
      throw full
    }
    expect(() => unpackNative(dataDir, write)).toThrow(/the disk is full.*takes 1 MB/)
    expect(readdirSync(dir).sort()).toEqual(['libonnxruntime.so.1', 'onnxruntime_binding.node'])
  })
})
