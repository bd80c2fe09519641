import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { byteAlphabet } from './bpe.ts'
import { createTokenizer } from './tokenizer.ts'

/** Whisper's 50,257 tokens as bytes, from whisper.cpp's file: after header and mel filters, count and strings. */
function storedVocabulary(): Buffer[] {
  const file = readFileSync(
    join(import.meta.dirname, '../../../test/fixtures/for-tests-ggml-tiny.en.bin'),
  )
  let at = 56 + 4 * 80 * 201
  const count = file.readInt32LE(at)
  at += 4
  return Array.from({ length: count }, () => {
    const length = file.readUInt32LE(at)
    at += 4 + length
    return file.subarray(at - length, at)
  })
}

/** A tokenizer of Whisper's own vocabulary, as far as the file kept it (lone bytes above 127 are lost in it). */
function setup() {
  const stored = storedVocabulary()
  const letters = byteAlphabet()
  const vocab = Object.fromEntries(
    stored.map((bytes, id) => [Array.from(bytes, (byte) => letters[byte]).join(''), id]),
  )
  const added_tokens = [
    { id: stored.length, content: '<|endoftext|>' },
    { id: stored.length + 1, content: '<|startoftranscript|>' },
  ]
  return { stored, tokenizer: createTokenizer({ model: { type: 'BPE', vocab }, added_tokens }) }
}

/** The tokenizer of the demo model, and the tokens of a text, one a byte. */
function setupBytes() {
  const content = JSON.parse(
    readFileSync(join(import.meta.dirname, '../../../models/demo/tokenizer.json'), 'utf8'),
  ) as { model: { vocab: Record<string, number> } }
  const letters = byteAlphabet()
  const encode = (text: string): number[] =>
    Array.from(Buffer.from(text), (byte) => content.model.vocab[letters[byte] as string] as number)
  return { tokenizer: createTokenizer(content), encode }
}

describe('the tokenizer', () => {
  it("knows Whisper's vocabulary", () => {
    const { tokenizer, stored } = setup()
    expect(tokenizer.decode([15496])).toBe('Hello')
    expect(tokenizer.decode([15496, 995])).toBe('Hello world')
    for (const [id, bytes] of stored.entries()) {
      const text = new TextDecoder().decode(bytes)
      if (!text.includes('\ufffd')) expect(tokenizer.decode([id])).toBe(text)
    }
  })

  it('reads back any text, letters that are split over tokens included', () => {
    const { tokenizer, encode } = setupBytes()
    for (const text of ['naïve façade', 'Привет, мир', '日本語の電話', '📞 +1 (415) 555-0100\n'])
      expect(tokenizer.decode(encode(text))).toBe(text)
  })

  it('writes broken UTF-8 as a replacement character', () => {
    const { tokenizer, encode } = setupBytes()
    expect(tokenizer.decode(encode('é!').slice(1))).toBe('\ufffd!')
  })

  it('gives no text for special and unknown tokens', () => {
    const { tokenizer, stored } = setup()
    expect(tokenizer.idOf('<|startoftranscript|>')).toBe(stored.length + 1)
    expect(tokenizer.idOf('<|none|>')).toBeUndefined()
    expect(tokenizer.decode([stored.length + 1, 15496, 9_999_999, stored.length])).toBe('Hello')
    expect(tokenizer.size).toBe(stored.length + 2)
  })

  it.each([
    [{}, /model\.vocab/],
    [{ model: { vocab: [1] }, added_tokens: [] }, /model\.vocab/],
    [{ model: { vocab: { a: 0 } } }, /added_tokens/],
    [{ model: { vocab: { a: 'x', b: -1, c: 1e9 } }, added_tokens: [] }, /empty/],
  ])('refuses %o', (content, message) => {
    expect(() => createTokenizer(content)).toThrow(message)
  })
})
