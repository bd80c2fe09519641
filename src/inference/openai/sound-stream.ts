/** Sound as a speech server streams it: WAV of any rate, or bare 16-bit samples at 24 kHz, piece by piece. */

/** What OpenAI's `pcm` is. */
const BARE_RATE_HZ = 24_000
/** A header with what some tools put before the samples. */
const MOST_HEADER = 64 * 1024
const FORMATS = { pcm: 1, float: 3, extensible: 0xfffe } as const

interface Format {
  rateHz: number
  channels: number
  /** Bytes of one sample of one channel. */
  bytes: 2 | 4
}

/** Turns bytes as they come into 16-bit mono samples. Pieces may be cut anywhere. */
export class SoundStream {
  private pending = new Uint8Array(0)
  private format: Format | undefined
  /** Bytes of the data chunk still to come. */
  private left = Number.POSITIVE_INFINITY
  private readonly isBare: boolean

  /** `contentType`: of the answer; it says what the first bytes do not. Throws when it is no sound that is understood. */
  constructor(contentType: string) {
    this.isBare = /^audio\/(?:pcm|l16|x-pcm)|^application\/octet-stream/i.test(contentType)
  }

  /** Known once the header has come. */
  get rateHz(): number | undefined {
    return this.format?.rateHz
  }

  /** The samples that became whole. Throws an Error that completes "its answer …". */
  push(bytes: Uint8Array): Int16Array {
    const all = new Uint8Array(this.pending.length + bytes.length)
    all.set(this.pending)
    all.set(bytes, this.pending.length)
    this.pending = all
    this.format ??= this.readHeader()
    return this.format ? this.take(this.format) : new Int16Array(0)
  }

  private readHeader(): Format | undefined {
    const { pending } = this
    if (pending.length < 12) return undefined
    const tag = (at: number): string => String.fromCharCode(...pending.subarray(at, at + 4))
    if (tag(0) !== 'RIFF' || tag(8) !== 'WAVE') {
      if (this.isBare) return { rateHz: BARE_RATE_HZ, channels: 1, bytes: 2 }
      throw new Error(`is no WAV sound but ${whatIs(pending)}`)
    }
    const view = new DataView(pending.buffer)
    let format: Format | undefined
    for (let at = 12; at + 8 <= pending.length; ) {
      const size = view.getUint32(at + 4, true)
      if (tag(at) === 'data') {
        if (!format) throw new Error('is a WAV sound without a format')
        // A stream does not know its length: it says 0 or the most there is.
        if (size > 0 && size < 0x7fff_0000) this.left = size
        this.pending = pending.slice(at + 8)
        return format
      }
      if (tag(at) === 'fmt ') {
        if (at + 8 + 16 > pending.length) break
        format = readFormat(new DataView(pending.buffer, at + 8, 16))
      }
      at += 8 + size + (size % 2)
    }
    if (pending.length > MOST_HEADER) throw new Error('is a WAV sound whose samples do not begin')
    return undefined
  }

  private take({ channels, bytes }: Format): Int16Array {
    const { pending } = this
    const step = channels * bytes
    const count = Math.floor(Math.min(pending.length, this.left) / step)
    const view = new DataView(pending.buffer, pending.byteOffset)
    const out = new Int16Array(count)
    for (let i = 0; i < count; i++) {
      let sum = 0
      for (let c = 0; c < channels; c++) sum += sampleAt(view, i * step + c * bytes, bytes)
      out[i] = Math.max(-32768, Math.min(32767, Math.round(sum / channels)))
    }
    this.left -= count * step
    this.pending = pending.slice(this.left === 0 ? pending.length : count * step)
    return out
  }
}

function readFormat(chunk: DataView): Format {
  const kind = chunk.getUint16(0, true)
  const channels = chunk.getUint16(2, true)
  const rateHz = chunk.getUint32(4, true)
  const bits = chunk.getUint16(14, true)
  const isInteger = bits === 16 && (kind === FORMATS.pcm || kind === FORMATS.extensible)
  const isFloat = bits === 32 && (kind === FORMATS.float || kind === FORMATS.extensible)
  if (!isInteger && !isFloat) throw new Error(`is a WAV sound of ${bits} bits, kind ${kind}`)
  if (channels < 1 || channels > 2) throw new Error(`is a WAV sound of ${channels} channels`)
  if (rateHz < 8000 || rateHz > 96_000) throw new Error(`is a WAV sound of ${rateHz} Hz`)
  return { rateHz, channels, bytes: isFloat ? 4 : 2 }
}

function sampleAt(view: DataView, at: number, bytes: 2 | 4): number {
  if (bytes === 2) return view.getInt16(at, true)
  const value = view.getFloat32(at, true)
  return Number.isFinite(value) ? value * 32767 : 0
}

function whatIs(bytes: Uint8Array): string {
  const start = String.fromCharCode(...bytes.subarray(0, 4))
  if (start.startsWith('ID3') || (bytes[0] === 0xff && ((bytes[1] ?? 0) & 0xe0) === 0xe0))
    return 'MP3'
  if (start === 'OggS') return 'Ogg'
  if (start === 'fLaC') return 'FLAC'
  return /^[\s{<[]/.test(start) ? 'text' : 'something else'
}
