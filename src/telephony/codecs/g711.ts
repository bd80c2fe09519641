import type { Decoder, Encoder } from './codec.ts'

/** G.711 by table: PCMU (mu-law) and PCMA (A-law), 16-bit linear samples in and out. */
export interface G711 {
  /** What each of the 256 codes stands for. */
  decode: Int16Array
  /** The nearest code of each sample, at `sample & 0xffff`. */
  encode: Uint8Array
  /** The code that sounds like nothing. */
  silence: number
}

/** ITU-T G.711 §3, table 2: sign, three bits of segment, four bits of step, all inverted; 14 bits scaled to 16. */
function fromMuLaw(code: number): number {
  const bits = ~code & 0xff
  const segment = (bits >> 4) & 7
  const magnitude = ((((bits & 15) << 3) + 0x84) << segment) - 0x84
  return bits & 0x80 ? -magnitude : magnitude
}

/** ITU-T G.711 §3, table 1: every other bit inverted; the two lowest segments have steps of one size; 13 bits to 16. */
function fromALaw(code: number): number {
  const bits = code ^ 0x55
  const segment = (bits >> 4) & 7
  const step = (bits & 15) << 4
  const magnitude = segment === 0 ? step + 8 : (step + 0x108) << (segment - 1)
  return bits & 0x80 ? magnitude : -magnitude
}

function tables(decodeOne: (code: number) => number, silence: number): G711 {
  const decode = Int16Array.from({ length: 256 }, (_, code) => decodeOne(code))
  const ascending = Array.from({ length: 256 }, (_, code) => code).sort(
    (a, b) => decodeOne(a) - decodeOne(b) || a - b,
  )
  const encode = new Uint8Array(65_536)
  let at = 0
  for (let sample = -32_768; sample < 32_768; sample++) {
    const off = (i: number): number => Math.abs((decode[ascending[i] as number] as number) - sample)
    while (at < 255 && off(at + 1) <= off(at)) at++
    encode[sample & 0xffff] = ascending[at] as number
  }
  return { decode, encode, silence }
}

export const pcmu: G711 = tables(fromMuLaw, 0xff)
export const pcma: G711 = tables(fromALaw, 0xd5)

/** Writes the code of each sample into `to` from `offset` on. */
export function encodeG711(law: G711, samples: Int16Array, to: Uint8Array, offset: number): void {
  const { encode } = law
  for (let i = 0; i < samples.length; i++)
    to[offset + i] = encode[(samples[i] as number) & 0xffff] as number
}

/** The samples of a payload, one a byte. */
export function decodeG711(law: G711, payload: Uint8Array): Int16Array {
  const { decode } = law
  const samples = new Int16Array(payload.length)
  for (let i = 0; i < payload.length; i++) samples[i] = decode[payload[i] as number] as number
  return samples
}

export function g711Encoder(law: G711): Encoder {
  return {
    encode(samples, to, offset) {
      encodeG711(law, samples, to, offset)
      return samples.length
    },
  }
}

/** What was decoded last, for all calls of this thread: each is read before the next is decoded. */
let samples = new Int16Array(160)

export function g711Decoder({ decode }: G711): Decoder {
  return {
    decode(payload) {
      const { length } = payload
      if (samples.length !== length) samples = new Int16Array(length)
      for (let i = 0; i < length; i++) samples[i] = decode[payload[i] as number] as number
      return samples
    },
  }
}
