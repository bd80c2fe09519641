/** Reading tar archives (ustar, pax, GNU long names), packed with gzip or not: files only, and none outside of the target. */
import { createReadStream, mkdirSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createGunzip } from 'node:zlib'
import { reasonOf } from '../../core/errors.ts'

const BLOCK = 512
/** More than any directory of models holds. */
const MOST_FILES = 10_000
const LONGEST_NAME = 4096

/** Writes the files of an archive under `into`. Throws an Error that names the archive and says what is wrong. */
export async function extractTar(
  archive: string,
  into: string,
  signal: AbortSignal,
): Promise<void> {
  const reader = new BlockReader(openArchive(archive), signal)
  try {
    await extract(reader, into)
  } catch (error) {
    if (signal.aborted) throw error
    throw new Error(`${archive}: ${reasonOf(error)}`, { cause: error })
  }
}

function openArchive(archive: string): AsyncIterable<Buffer> {
  const source = createReadStream(archive)
  if (!/\.(tgz|gz)$/i.test(archive)) return source
  const unpacked = createGunzip()
  source.on('error', (error) => unpacked.destroy(error))
  return source.pipe(unpacked)
}

async function extract(reader: BlockReader, into: string): Promise<void> {
  let longName: string | null = null
  for (let files = 0; ; ) {
    const header = await reader.take(BLOCK)
    if (header.every((byte) => byte === 0)) return
    const { name, size, type } = readHeader(header)
    const padded = Math.ceil(size / BLOCK) * BLOCK
    if (type === 'L' || type === 'x') {
      longName = nameIn(await takeText(reader, size, padded), type) ?? longName
      continue
    }
    const path = safePath(longName ?? name)
    longName = null
    if (type !== '0' || path === null) {
      await reader.skip(padded)
      continue
    }
    if (++files > MOST_FILES) throw new Error('it holds too many files')
    await writeEntry(reader, join(into, path), size)
    await reader.skip(padded - size)
  }
}

async function writeEntry(reader: BlockReader, path: string, size: number): Promise<void> {
  mkdirSync(dirname(path), { recursive: true })
  const handle = await open(path, 'w')
  try {
    for (let left = size; left > 0; ) {
      const piece = await reader.some(left)
      await handle.writeFile(piece)
      left -= piece.length
    }
  } finally {
    await handle.close()
  }
}

/** `type`: `0` for a file, `L` and `x` for what tells the next one's name. */
function readHeader(header: Buffer): { name: string; size: number; type: string } {
  const sum = header.reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 32 : byte), 0)
  if (sum !== parseInt(textAt(header, 148, 8), 8))
    throw new Error('it is no tar archive, or is damaged')
  const prefix = textAt(header, 257, 5) === 'ustar' ? textAt(header, 345, 155) : ''
  const name = textAt(header, 0, 100)
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    size: sizeIn(header),
    type: textAt(header, 156, 1).replace(/^$/, '0'),
  }
}

/** Octal, or for what is too large for that, binary with the first bit set (GNU). */
function sizeIn(header: Buffer): number {
  const size =
    ((header[124] ?? 0) & 0x80) === 0
      ? parseInt(textAt(header, 124, 12) || '0', 8)
      : Number(header.readBigUInt64BE(128))
  if (!Number.isSafeInteger(size) || size < 0) throw new Error('it is damaged: a size is no number')
  return size
}

function textAt(header: Buffer, from: number, length: number): string {
  const field = header.subarray(from, from + length)
  const end = field.indexOf(0)
  return field
    .subarray(0, end < 0 ? length : end)
    .toString('utf8')
    .trim()
}

async function takeText(reader: BlockReader, size: number, padded: number): Promise<string> {
  if (size > 64 * 1024) throw new Error('it is damaged: a name is too long')
  return (await reader.take(padded)).subarray(0, size).toString('utf8')
}

function nameIn(text: string, type: 'L' | 'x'): string | null {
  if (type === 'L') return text.replace(/\0.*$/s, '')
  return /^\d+ path=(.*)$/m.exec(text)?.[1] ?? null
}

/** A path under the target; null for the target itself. Throws for one that leads out of it. */
function safePath(name: string): string | null {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.')
  if (
    name.startsWith('/') ||
    parts.includes('..') ||
    name.length > LONGEST_NAME ||
    /[\0\\]/.test(name)
  )
    throw new Error(`it holds a file outside of itself: ${JSON.stringify(name.slice(0, 100))}`)
  return parts.length === 0 ? null : parts.join('/')
}

/** Exact lengths out of a stream of pieces. */
class BlockReader {
  private readonly pieces: AsyncIterator<Buffer>
  private readonly signal: AbortSignal
  private pending: Buffer = Buffer.alloc(0)

  constructor(source: AsyncIterable<Buffer>, signal: AbortSignal) {
    this.pieces = source[Symbol.asyncIterator]()
    this.signal = signal
  }

  /** As much as is at hand, at least one byte and `most` at most. */
  async some(most: number): Promise<Buffer> {
    this.signal.throwIfAborted()
    while (this.pending.length === 0) {
      const { done, value } = await this.pieces.next()
      if (done) throw new Error('it ends in the middle')
      this.pending = value
    }
    const piece = this.pending.subarray(0, most)
    this.pending = this.pending.subarray(piece.length)
    return piece
  }

  async take(length: number): Promise<Buffer> {
    const pieces: Buffer[] = []
    for (let left = length; left > 0; ) {
      const piece = await this.some(left)
      pieces.push(piece)
      left -= piece.length
    }
    return Buffer.concat(pieces)
  }

  async skip(length: number): Promise<void> {
    for (let left = length; left > 0; ) left -= (await this.some(left)).length
  }
}
