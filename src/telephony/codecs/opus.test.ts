import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { randomSource } from '../../../test/kit/seeded.ts'
import { amplitudeAt, tone } from '../../../test/kit/tones.ts'
import { createCodecs } from './codec.ts'
import { openOpus } from './opus.ts'
import { unpackOpus } from './unpack-opus.ts'

const made: string[] = []

function dataDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'landline-opus-'))
  made.push(dir)
  return dir
}

afterEach(() => {
  for (const dir of made.splice(0)) rmSync(dir, { recursive: true, force: true })
})

describe('Opus', () => {
  it.each([10, 20, 40, 60])('carries a tone in packets of %i ms', (ms) => {
    const opus = openOpus(dataDir())
    const encoder = opus.encoder()
    const decoder = opus.decoder()
    const samples = ms * 16
    const heard: number[] = []
    const code = new Uint8Array(1520)
    for (let at = 0; at < 16_000; at += samples) {
      const piece = tone(1000, samples, { from: at, rateHz: 16_000 })
      const length = encoder.encode(piece, code, 12)
      expect(length).toBeLessThan(ms * 8)
      heard.push(...decoder.decode(code.subarray(12, 12 + length)))
    }
    expect(heard.length).toBeGreaterThanOrEqual(16_000)
    expect(
      amplitudeAt(Int16Array.from(heard).subarray(4000, 12_000), 1000, 16_000),
    ).toBeGreaterThan(6500)
  })

  it('makes nothing of junk, or sound, and never throws', () => {
    const decoder = openOpus(dataDir()).decoder()
    const random = randomSource(2)
    let refused = 0
    for (let n = 0; n < 5000; n++) {
      const junk = Uint8Array.from({ length: random() * 200 }, () => random() * 256)
      const { length } = decoder.decode(junk)
      expect(length).toBeLessThanOrEqual(1920)
      if (length === 0) refused++
    }
    expect(refused).toBeGreaterThan(1000)
  })

  it('is one codec more', () => {
    expect([...createCodecs(null).keys()]).toEqual(['PCMU', 'PCMA', 'G722'])
    expect([...createCodecs(openOpus(dataDir())).keys()]).toEqual(['PCMU', 'PCMA', 'G722', 'opus'])
  })
})

describe('unpacking Opus', () => {
  it('writes one file for its owner, in a directory for its owner, and leaves it alone then', () => {
    const dir = dataDir()
    const path = unpackOpus(join(dir, 'data'))
    expect(statSync(join(path, '..')).mode & 0o777).toBe(0o700)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    const { ino } = statSync(path)
    expect(unpackOpus(join(dir, 'data'))).toBe(path)
    expect(statSync(path).ino).toBe(ino)
    expect(readdirSync(join(path, '..'))).toEqual(['opus.node'])
  })

  it('replaces a file that is not what it should be', () => {
    const dir = dataDir()
    const path = unpackOpus(dir)
    const whole = readFileSync(path)
    truncateSync(path, 1000)
    unpackOpus(dir)
    expect(readFileSync(path).equals(whole)).toBe(true)
  })

  it('loads no code from a directory that everybody may write to', () => {
    const dir = dataDir()
    mkdirSync(join(dir, 'runtime'))
    chmodSync(join(dir, 'runtime'), 0o777)
    expect(() => openOpus(dir)).toThrow(/cannot unpack Opus.*writable by everybody/)
    expect(existsSync(join(dir, 'runtime/opus.node'))).toBe(false)
  })

  it('says what is wrong when the data directory is a file', () => {
    const dir = dataDir()
    writeFileSync(join(dir, 'file'), '')
    expect(() => openOpus(join(dir, 'file'))).toThrow(/cannot unpack Opus to .*file\/runtime/)
  })
})
