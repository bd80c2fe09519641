import { createHash } from 'node:crypto'
import type { Clock } from './clock.ts'

/** Where randomness comes from: `n` random bytes. Only the composition root makes the real one. */
export type RandomBytes = (n: number) => Uint8Array

export interface Ids {
  /** A UUID version 7 (RFC 9562 §5.7): sorts by the time of its making. */
  uuid(): string
  /** `sk_live_` and 256 random bits. */
  apiKey(): string
  /** `whsec_` and base64 of 32 random bytes. */
  webhookSecret(): string
  /** `bytes` random bytes in lower-case hex. */
  hex(bytes: number): string
  /** A number in [0, 1), for jitter. */
  fraction(): number
}

export function createIds(clock: Clock, random: RandomBytes): Ids {
  let last = 0
  let sequence = 0
  return {
    uuid() {
      const bytes = random(16)
      // RFC 9562 §6.2 method 1: within one millisecond a 12-bit counter keeps ids in the order of their making.
      const now = Math.max(clock.now(), last)
      sequence = now === last ? sequence + 1 : (((bytes[6] ?? 0) << 8) | (bytes[7] ?? 0)) & 0x7ff
      last = sequence > 0xfff ? now + 1 : now
      sequence &= 0xfff
      const hex = toHex(bytes)
      const time = last.toString(16).padStart(12, '0')
      const variant = (((bytes[8] ?? 0) & 0x3f) | 0x80).toString(16)
      const count = sequence.toString(16).padStart(3, '0')
      return `${time.slice(0, 8)}-${time.slice(8)}-7${count}-${variant}${hex.slice(18, 20)}-${hex.slice(20)}`
    },
    apiKey: () => `sk_live_${Buffer.from(random(32)).toString('base64url')}`,
    webhookSecret: () => `whsec_${Buffer.from(random(32)).toString('base64')}`,
    hex: (n) => toHex(random(n)),
    fraction: () => Buffer.from(random(6)).readUIntBE(0, 6) / 2 ** 48,
  }
}

/** SHA-256 in lower-case hex. */
export function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex')
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
