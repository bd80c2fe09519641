/** Sound to bytes and back, packet by packet. State belongs to one direction of one call. */
import type { CodecName } from '../media/media.ts'
import { FORMATS, type Format } from './formats.ts'
import { g711Decoder, g711Encoder, pcma, pcmu } from './g711.ts'
import { G722Decoder, G722Encoder } from './g722.ts'
import type { OpusFactory } from './opus.ts'

export interface Encoder {
  /** Writes the code of one packet's samples into `to` from `offset` on; returns how many bytes that took. */
  encode(samples: Int16Array, to: Uint8Array, offset: number): number
}

export interface Decoder {
  /**
   * The samples of one packet, valid until this or another decoder is called; none where the payload is no such code or too long.
   * Payloads are given in the order in which they were sent. Never throws.
   */
  decode(payload: Uint8Array): Int16Array
}

export interface Codec extends Format {
  name: CodecName
  /** More than this in one packet is nobody's telephone. */
  maxPayloadBytes: number
  encoder(): Encoder
  decoder(): Decoder
}

/** 200 ms of the codecs that take 8 bytes a millisecond. */
export const LONGEST_PACKET_MS = 200
const MAX_PAYLOAD_BYTES = LONGEST_PACKET_MS * 8

export type Codecs = ReadonlyMap<CodecName, Codec>

/** The codecs of this process; Opus where its native part could be loaded. */
export function createCodecs(opus: OpusFactory | null): Codecs {
  const codecs = new Map<CodecName, Codec>()
  const add = (name: CodecName, make: Pick<Codec, 'encoder' | 'decoder'>): void => {
    codecs.set(name, { name, ...FORMATS[name], maxPayloadBytes: MAX_PAYLOAD_BYTES, ...make })
  }
  add('PCMU', { encoder: () => g711Encoder(pcmu), decoder: () => g711Decoder(pcmu) })
  add('PCMA', { encoder: () => g711Encoder(pcma), decoder: () => g711Decoder(pcma) })
  add('G722', { encoder: () => new G722Encoder(), decoder: () => new G722Decoder() })
  if (opus) add('opus', opus)
  return codecs
}
