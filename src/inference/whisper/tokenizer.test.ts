import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { storedVocabulary } from '../../../test/kit/whisper-vocabulary.ts'
import { byteAlphabet } from './bpe.ts'
import { createTokenizer } from './tokenizer.ts'

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

  it('makes tokens of text by the merges of its file, however they are written', () => {
    const letters = byteAlphabet()
    const vocab: Record<string, number> = Object.fromEntries(letters.map((each, id) => [each, id]))
    for (const piece of ['ab', 'abc', 'Ġab']) vocab[piece] = Object.keys(vocab).length
    const made = (merges: unknown) =>
      createTokenizer({ model: { vocab, merges }, added_tokens: [] }).encode('abc abc')
    const known = [256 + 1, vocab.Ġab, vocab.c]
    expect(made(['a b', 'Ġ ab', 'ab c'])).toEqual(known)
    expect(
      made([
        ['a', 'b'],
        ['Ġ', 'ab'],
        ['ab', 'c'],
      ]),
    ).toEqual(known)
    expect(made([['a'], 7, 'x y z', null])).toEqual(
      Array.from(Buffer.from('abc abc'), (byte) => vocab[letters[byte] as string]),
    )
  })

  it('never makes special tokens of text', () => {
    const { tokenizer, encode } = setupBytes()
    const text = '<|endoftext|><|startoftranscript|>'
    const tokens = tokenizer.encode(text)
    expect(tokenizer.decode(tokens)).toBe(text)
    expect(tokens.length).toBeGreaterThan(2)
    expect(encode(text)).not.toHaveLength(0)
  })

  it('takes no longer for one endless word', () => {
    const { tokenizer } = setupBytes()
    const text = 'ü'.repeat(4000)
    expect(tokenizer.decode(tokenizer.encode(text))).toBe(text)
  })

  it("reads SentencePiece's pieces: spaces, single bytes, one space less in front", () => {
    const vocab = { '<unk>': 0, '▁no': 1, '▁': 2, '<0xC3>': 3, '<0xA9>': 4, yes: 5 }
    const tokenizer = createTokenizer({
      model: { vocab, byte_fallback: true, merges: [] },
      added_tokens: [{ content: '<unk>', id: 0 }],
    })
    expect(tokenizer.decode([1, 0, 2, 3, 4, 5])).toBe('no éyes')
    expect(tokenizer.encode('no')).toEqual([])
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
