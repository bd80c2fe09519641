/** Whisper's own vocabulary, from whisper.cpp's file. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { byteAlphabet } from '../../src/inference/whisper/bpe.ts'
import type { TokenizerParts } from './speech-export.ts'

/** Its 50,257 tokens as bytes: after header and mel filters, count and strings. Lone bytes above 127 are lost in it. */
export function storedVocabulary(): Buffer[] {
  const file = readFileSync(join(import.meta.dirname, '../fixtures/for-tests-ggml-tiny.en.bin'))
  let at = 56 + 4 * 80 * 201
  const count = file.readInt32LE(at)
  at += 4
  return Array.from({ length: count }, () => {
    const length = file.readUInt32LE(at)
    at += 4 + length
    return file.subarray(at - length, at)
  })
}

/** As in a tokenizer.json, the end of text left out. A merge is the pair that its token falls into by the merges before it. */
export function storedTokenizer(): TokenizerParts {
  const letters = byteAlphabet()
  const stored = storedVocabulary().slice(0, -1)
  const vocab: Record<string, number> = {}
  const merges: [string, string][] = []
  const ranks = new Map<string, number>()
  for (const [id, bytes] of stored.entries()) {
    const piece = Array.from(bytes, (byte) => letters[byte] as string)
    const text = piece.join('')
    vocab[text in vocab ? `${text}\0${id}` : text] = id
    const pair = piece.length > 1 ? mergedBy(piece, ranks) : []
    if (pair.length !== 2) continue
    ranks.set(pair.join(' '), merges.length)
    merges.push(pair as [string, string])
  }
  return { vocab, merges }
}

function mergedBy(piece: readonly string[], ranks: ReadonlyMap<string, number>): string[] {
  const parts = [...piece]
  for (;;) {
    const at = Array.from(parts.slice(1), (part, i) => ranks.get(`${parts[i]} ${part}`) ?? Infinity)
    const lowest = Math.min(...at)
    if (!Number.isFinite(lowest)) return parts
    const first = at.indexOf(lowest)
    parts.splice(first, 2, `${parts[first]}${parts[first + 1]}`)
  }
}
