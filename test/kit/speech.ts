/** Recorded and synthetic speech for tests, and what a telephone line does to it. */
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { resample } from '../../src/core/resample.ts'
import type { Ring } from '../../src/core/ring.ts'
import { decodeG711, encodeG711, pcmu } from '../../src/telephony/codecs/g711.ts'

const fixtures = join(import.meta.dirname, '../fixtures')
const demoSet = join(fixtures, 'demo-asr/testset')

/** A data directory that all tests share, so that the inference runtime is unpacked once. */
export function sharedDataDir(): string {
  const dir = join(import.meta.dirname, '../../dist/test-data')
  mkdirSync(join(dir, 'runtime'), { recursive: true, mode: 0o700 })
  return dir
}

/** 8 kHz samples of a 16-bit WAV file, its first channel, whatever chunks stand before the sound. */
export function readSpeech(path: string): Int16Array {
  const file = readFileSync(path)
  let at = 12
  while (file.toString('latin1', at, at + 4) !== 'data') at += 8 + file.readUInt32LE(at + 4)
  const bytes = file.subarray(at + 8, at + 8 + file.readUInt32LE(at + 4))
  const channels = file.readUInt16LE(22)
  const samples = Int16Array.from({ length: Math.floor(bytes.length / 2 / channels) }, (_, i) =>
    bytes.readInt16LE(2 * channels * i),
  )
  return resample(samples, file.readUInt32LE(24), 8000)
}

export function jfk(): Int16Array {
  return readSpeech(join(fixtures, 'jfk.wav'))
}

export interface Sentence {
  file: string
  /** `held`: of the demo's grammar; `free`: not; `none`: no speech. */
  kind: 'held' | 'free' | 'none'
  text: string
}

export function demoSentences(): Sentence[] {
  return JSON.parse(readFileSync(join(demoSet, 'list.json'), 'utf8')) as Sentence[]
}

/** A sentence of the demo's test set as it comes out of a telephone: 8 kHz, mu-law. */
export function heardByTelephone(file: string): Int16Array {
  return byTelephone(readSpeech(join(demoSet, file)))
}

/** What mu-law leaves of sound at 8 kHz. */
export function byTelephone(samples: Int16Array): Int16Array {
  const payload = new Uint8Array(samples.length)
  encodeG711(pcmu, samples, payload, 0)
  return decodeG711(pcmu, payload)
}

/** Writes sound into a ring in frames of 20 ms, all at once. */
export function writeFrames(ring: Ring, samples: Int16Array): void {
  for (let at = 0; at < samples.length; at += 160) ring.write(samples.subarray(at, at + 160))
}

/** Words that have to be put in, left out or changed to make `heard` of `said`, and how many were said. */
export function wordErrors(said: string, heard: string): { errors: number; words: number } {
  const a = wordsOf(said)
  const b = wordsOf(heard)
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (const [i, word] of a.entries()) {
    const next = [i + 1]
    for (const [j, other] of b.entries())
      next.push(
        Math.min(
          (row[j + 1] ?? 0) + 1,
          (next[j] ?? 0) + 1,
          (row[j] ?? 0) + (word === other ? 0 : 1),
        ),
      )
    row = next
  }
  return { errors: row.at(-1) ?? 0, words: a.length }
}

function wordsOf(text: string): string[] {
  return text
    .toLowerCase()
    .replaceAll('-', ' ')
    .replace(/[^a-z' ]/g, '')
    .split(' ')
    .filter((word) => word !== '')
}
