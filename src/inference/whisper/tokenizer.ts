/** Turns Whisper's tokens into text: byte-level BPE, decoding only. */
export interface Tokenizer {
  /** The text of ordinary tokens; special ones and unknown ids have none. Broken UTF-8 becomes U+FFFD. */
  decode(tokens: readonly number[]): string
  /** The id of a special token such as `<|startoftranscript|>`. */
  idOf(special: string): number | undefined
  /** One more than the highest id. */
  readonly size: number
}

/** Reads the parsed content of a Hugging Face `tokenizer.json`. Throws an Error that says what is wrong with it. */
export function createTokenizer(content: unknown): Tokenizer {
  const { vocab, added } = readContent(content)
  const byteOf = new Map(byteAlphabet().map((letter, byte) => [letter, byte]))
  const pieces: Uint8Array[] = []
  for (const [piece, id] of vocab)
    pieces[id] = Uint8Array.from(piece, (letter) => byteOf.get(letter) ?? 0)
  const specials = new Map(added)
  for (const id of specials.values()) pieces[id] = new Uint8Array(0)
  return {
    size: pieces.length,
    idOf: (special) => specials.get(special),
    decode(tokens) {
      const bytes = tokens.flatMap((token) => Array.from(pieces[token] ?? []))
      return new TextDecoder().decode(Uint8Array.from(bytes))
    },
  }
}

/** Far more tokens than any Whisper has (51,866). */
const MOST_TOKENS = 1_000_000

function readContent(content: unknown): { vocab: [string, number][]; added: [string, number][] } {
  const { model, added_tokens } = content as {
    model?: { type?: unknown; vocab?: unknown }
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
  return { vocab, added }
}

function isTokenId(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < MOST_TOKENS
}

/** GPT-2's letter for each byte: printable ones stand for themselves, the rest for letters from U+0100 on. */
export function byteAlphabet(): string[] {
  let next = 256
  return Array.from({ length: 256 }, (_, byte) => {
    const isPrintable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174
    return String.fromCharCode(isPrintable ? byte : next++)
  })
}
