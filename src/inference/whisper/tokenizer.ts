import { byteAlphabet, createBpe } from './bpe.ts'

/** Turns the tokens of a speech-to-text model into text, and text into tokens of a prompt. */
export interface Tokenizer {
  /** The text of ordinary tokens; special ones and unknown ids have none. Broken UTF-8 becomes U+FFFD. */
  decode(tokens: readonly number[]): string
  /** Ordinary tokens of a text, never special ones. Empty where the vocabulary is not byte-level. */
  encode(text: string): number[]
  /** The id of a special token such as `<|startoftranscript|>`. */
  idOf(special: string): number | undefined
  /** The special tokens, with their ids. */
  readonly specials: ReadonlyMap<string, number>
  /** One more than the highest id. */
  readonly size: number
}

/**
 * Reads the parsed content of a Hugging Face `tokenizer.json`: byte-level BPE as Whisper has it, or SentencePiece's with
 * byte fallback as Moonshine has it. Throws an Error that says what is wrong with it.
 */
export function createTokenizer(content: unknown): Tokenizer {
  const { vocab, added, merges, isSentencePiece } = readContent(content)
  const bytesOf = isSentencePiece ? sentencePieceBytes : createByteLevel()
  const pieces: Uint8Array[] = []
  for (const [piece, id] of vocab) pieces[id] = bytesOf(piece)
  const specials = new Map(added)
  for (const id of specials.values()) pieces[id] = new Uint8Array(0)
  const encode = isSentencePiece ? () => [] : createBpe(new Map(vocab), merges)
  return {
    size: pieces.length,
    specials,
    idOf: (special) => specials.get(special),
    encode,
    decode(tokens) {
      const bytes = tokens.flatMap((token) => Array.from(pieces[token] ?? []))
      const text = new TextDecoder().decode(Uint8Array.from(bytes))
      return isSentencePiece ? text.replace(/^ /, '') : text
    },
  }
}

function createByteLevel(): (piece: string) => Uint8Array {
  const byteOf = new Map(byteAlphabet().map((letter, byte) => [letter, byte]))
  return (piece) => Uint8Array.from(piece, (letter) => byteOf.get(letter) ?? 0)
}

/** `<0x41>` is a byte; in other pieces U+2581 stands for a space. */
function sentencePieceBytes(piece: string): Uint8Array {
  const byte = /^<0x([0-9A-Fa-f]{2})>$/.exec(piece)?.[1]
  if (byte !== undefined) return Uint8Array.of(Number.parseInt(byte, 16))
  return new TextEncoder().encode(piece.replaceAll('\u2581', ' '))
}

/** Far more tokens than any Whisper has (51,866). */
const MOST_TOKENS = 1_000_000

function readContent(content: unknown): {
  vocab: [string, number][]
  added: [string, number][]
  merges: [string, string][]
  isSentencePiece: boolean
} {
  const { model, added_tokens } = content as {
    model?: { vocab?: unknown; merges?: unknown; byte_fallback?: unknown }
    added_tokens?: unknown
  }
  if (
    !model ||
    typeof model.vocab !== 'object' ||
    model.vocab === null ||
    Array.isArray(model.vocab)
  )
    throw new Error("has no 'model.vocab': it is not a byte-level BPE tokenizer")
  if (!Array.isArray(added_tokens)) throw new Error("has no list 'added_tokens'")
  const vocab = Object.entries(model.vocab).filter((entry): entry is [string, number] =>
    isTokenId(entry[1]),
  )
  const added = added_tokens.flatMap((token: { content?: unknown; id?: unknown } | null) =>
    typeof token?.content === 'string' && isTokenId(token.id)
      ? [[token.content, token.id] as [string, number]]
      : [],
  )
  if (vocab.length === 0) throw new Error("has an empty 'model.vocab'")
  const merges = Array.isArray(model.merges) ? model.merges.flatMap(readMerge) : []
  return { vocab, added, merges, isSentencePiece: model.byte_fallback === true }
}

/** Older files write a merge as one string with a space. */
function readMerge(merge: unknown): [string, string][] {
  const parts: unknown[] =
    typeof merge === 'string' ? merge.split(' ') : Array.isArray(merge) ? merge : []
  const [left, right] = parts
  return parts.length === 2 && typeof left === 'string' && typeof right === 'string'
    ? [[left, right]]
    : []
}

function isTokenId(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < MOST_TOKENS
}
