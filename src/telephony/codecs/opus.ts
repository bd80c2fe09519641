/** Opus (RFC 6716) at 16 kHz by @evan/opus's native part; the classes here keep its quirks away from the rest. */
import { reasonOf } from '../../core/errors.ts'
import type { Codec, Decoder, Encoder } from './codec.ts'
import { FORMATS } from './formats.ts'
import { unpackOpus } from './unpack-opus.ts'

export type OpusFactory = Pick<Codec, 'encoder' | 'decoder'>

/** Bits a second: wideband speech is good from 16 000 on and gains little beyond this. */
const BITRATE = 24_000
/** Of 10: the last ones cost twice the time for little. */
const COMPLEXITY = 5
/** RFC 6716 §3.2.1: longest frame times frames in a packet. */
const LONGEST_MS = 120
/** opus_defines.h: what `ctl` sets. */
const SET = { bitrate: 4002, complexity: 4010, signal: 4024 } as const
const SIGNAL_VOICE = 3001

interface RawEncoder {
  ctl(what: number, value: number): number
  /** The code of one frame goes into `buffers.encoder()`; returns its length. Throws for a frame of no length of its. */
  encode(pcm: Uint8Array): number
}
interface RawDecoder {
  /** The sound goes into `buffers.decoder()` as 16-bit samples; returns its length in bytes. Throws for garbage. */
  decode(payload: Uint8Array): number
}
interface Binding {
  Encoder: new (o: { channels: number; sample_rate: number; application: string }) => RawEncoder
  Decoder: new (o: { channels: number; sample_rate: number }) => RawDecoder
  /** Shared by all encoders and by all decoders of the process: one thread only may use them. */
  buffers: { encoder(): Uint8Array; decoder(): Uint8Array }
}

/** Loads the native part from `<dataDir>/runtime`, unpacked there when needed. Throws an Error with one sentence. */
export function openOpus(dataDir: string): OpusFactory {
  const path = unpackOpus(dataDir)
  const module = { exports: {} as Binding }
  try {
    process.dlopen(module, path)
  } catch (error) {
    throw new Error(`cannot load Opus from ${path}: ${reasonOf(error)}`, { cause: error })
  }
  const binding = module.exports
  const factory: OpusFactory = {
    encoder: () => opusEncoder(binding),
    decoder: () => opusDecoder(binding),
  }
  // What loads but does not work is found now and not in a call.
  const code = new Uint8Array(1500)
  const length = factory.encoder().encode(new Int16Array(320), code, 0)
  if (factory.decoder().decode(code.subarray(0, length)).length !== 320)
    throw new Error(`Opus from ${path} does not work`)
  return factory
}

function opusEncoder(binding: Binding): Encoder {
  const raw = new binding.Encoder({
    channels: 1,
    sample_rate: FORMATS.opus.rateHz,
    application: 'voip',
  })
  raw.ctl(SET.bitrate, BITRATE)
  raw.ctl(SET.complexity, COMPLEXITY)
  raw.ctl(SET.signal, SIGNAL_VOICE)
  const out = binding.buffers.encoder()
  return {
    encode(samples, to, offset) {
      const { buffer, byteOffset, byteLength } = samples
      const length = raw.encode(new Uint8Array(buffer, byteOffset, byteLength))
      for (let i = 0; i < length; i++) to[offset + i] = out[i] as number
      return length
    },
  }
}

function opusDecoder(binding: Binding): Decoder {
  const raw = new binding.Decoder({ channels: 1, sample_rate: FORMATS.opus.rateHz })
  const shared = binding.buffers.decoder()
  const sound = new Int16Array(
    shared.buffer,
    shared.byteOffset,
    Math.min(shared.byteLength >> 1, (FORMATS.opus.rateHz * LONGEST_MS) / 1000),
  )
  const nothing = new Int16Array(0)
  return {
    decode(payload) {
      try {
        return sound.subarray(0, raw.decode(payload) >> 1)
      } catch {
        return nothing
      }
    },
  }
}
