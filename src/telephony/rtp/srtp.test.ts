import { describe, expect, it } from 'vitest'
import { randomSource } from '../../../test/kit/seeded.ts'
import type { SrtpSuite } from '../media/media.ts'
import { writeHeader } from './packet.ts'
import { deriveKey, SRTP_OVERHEAD_BYTES, SrtpReceiver, SrtpSender } from './srtp.ts'

const hex = (text: string): Buffer => Buffer.from(text.replace(/\s/g, ''), 'hex')
/** RFC 3711 appendix B.3. */
const MASTER = hex('E1F97A0D3E018BE0D64FA32C06DE4139 0EC675AD498AFEEBB6960B3AABE6')
const KEY = MASTER.toString('base64')
const OTHER_KEY = Buffer.alloc(30, 9).toString('base64')
const SUITES: SrtpSuite[] = ['AES_CM_128_HMAC_SHA1_80', 'AES_CM_128_HMAC_SHA1_32']
const [SHA1_80] = SUITES as [SrtpSuite, SrtpSuite]

function rtp(sequence: number, o: { ssrc?: number; bytes?: number } = {}): Uint8Array {
  const packet = new Uint8Array(12 + (o.bytes ?? 20)).fill(sequence & 0xff)
  writeHeader(packet, {
    payloadType: 0,
    marker: false,
    sequence: sequence & 0xffff,
    timestamp: sequence * 160,
    ssrc: o.ssrc ?? 0xcafebabe,
  })
  return packet
}

function protect(sender: SrtpSender, packet: Uint8Array): Uint8Array {
  const memory = new Uint8Array(packet.length + SRTP_OVERHEAD_BYTES)
  memory.set(packet)
  return memory.slice(0, sender.protect(memory, packet.length))
}

function protectControl(sender: SrtpSender, packet: Uint8Array): Uint8Array {
  const memory = new Uint8Array(packet.length + SRTP_OVERHEAD_BYTES)
  memory.set(packet)
  return memory.slice(0, sender.protectControl(memory, packet.length))
}

/** A receiver that is given copies, since it decrypts where the packet lies. */
function receiver(suite = SHA1_80, key = KEY) {
  const one = new SrtpReceiver(suite, key)
  return {
    rtp: (packet: Uint8Array) => one.unprotect(packet.slice())?.slice(),
    rtcp: (packet: Uint8Array) => one.unprotectControl(packet.slice())?.slice(),
  }
}

describe('the keys of a session (RFC 3711 appendix B.3)', () => {
  it.each([
    ['cipher key', 0, 'C61E7A93744F39EE10734AFE3FF7A087'],
    ['cipher salt', 2, '30CBBC08863D8C85D49DB34A9AE1'],
    ['auth key', 1, 'CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4'],
  ])('derives the %s', (_, label, want) => {
    expect(deriveKey(MASTER, label, want.length / 2)).toEqual(hex(want))
  })

  it('are the key stream of appendix B.2 where label and salt come out as there', () => {
    // B.2's counter begins at F0F1…FD0000: a salt of F0F1…FD with the label 0.
    const master = hex('2B7E151628AED2A6ABF7158809CF4F3C F0F1F2F3F4F5F6F7F8F9FAFBFCFD')
    const stream = deriveKey(master, 0, 48)
    expect(stream).toEqual(
      hex(`E03EAD0935C95E80E166B16DD92B4EB4 D23513162B02D0F72A43A2FE4A5F97AB
        41E95B3BB0A2E8DD477901E4FCA894C0`),
    )
  })

  it('are refused where the master key is too short', () => {
    expect(() => new SrtpSender(SHA1_80, 'AAAA')).toThrow('30 bytes')
  })
})

describe('SRTP', () => {
  it('makes the packet that others make of the same key', () => {
    const sender = new SrtpSender(SHA1_80, KEY)
    const plain = hex(`800f1234decafbadcafebabe${'ab'.repeat(16)}`)
    const packet = protect(sender, plain)
    expect(Buffer.from(packet).toString('hex')).toBe(
      '800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb',
    )
    expect(Buffer.from(receiver().rtp(packet) ?? [])).toEqual(plain)
  })

  it.each([
    [SUITES[0], 10],
    [SUITES[1], 4],
  ] as [SrtpSuite, number][])('adds the tag of %s: %i bytes', (suite, bytes) => {
    const packet = protect(new SrtpSender(suite, KEY), rtp(1))
    expect(packet.length).toBe(32 + bytes)
    expect(receiver(suite).rtp(packet)).toEqual(rtp(1))
  })

  it('is understood across two wraps of the sequence number, with loss and disorder', () => {
    const sender = new SrtpSender(SHA1_80, KEY)
    const one = receiver()
    const random = randomSource(2)
    const given: number[] = []
    const understood: number[] = []
    for (let n = 30_000; n < 200_000; n += 40) {
      // Forty packets of which a few come, the last first.
      const forty = Array.from({ length: 40 }, (_, k) => protect(sender, rtp(n + k, { bytes: 4 })))
      for (let k = 39; k >= 0; k--) {
        if (random() < 0.9) continue
        given.push(n + k)
        if (one.rtp(forty[k] as Uint8Array)) understood.push(n + k)
      }
    }
    expect(given.length).toBeGreaterThan(10_000)
    expect(understood).toEqual(given)
  })

  it('leaves header, CSRCs and extension readable', () => {
    const plain = hex(`91000001000000a0cafebabe 00000009 bede0001 01020304 ${'ab'.repeat(20)}`)
    const packet = protect(new SrtpSender(SHA1_80, KEY), plain)
    expect(Buffer.from(packet.subarray(0, 24))).toEqual(plain.subarray(0, 24))
    expect(Buffer.from(packet.subarray(24, 44))).not.toEqual(plain.subarray(24))
    expect(Buffer.from(receiver().rtp(packet) ?? [])).toEqual(plain)
  })

  it('accepts no packet twice, and none from before the window', () => {
    const sender = new SrtpSender(SHA1_80, KEY)
    const packets = Array.from({ length: 100 }, (_, n) => protect(sender, rtp(n)))
    const one = receiver()
    const order = [0, 2, 1, 50, 20, 80, 99]
    for (const n of order) expect(one.rtp(packets[n] as Uint8Array)).toEqual(rtp(n))
    for (const n of order) expect(one.rtp(packets[n] as Uint8Array)).toBeUndefined()
    // 64 packets count: from 36 on.
    expect(one.rtp(packets[35] as Uint8Array)).toBeUndefined()
    expect(one.rtp(packets[36] as Uint8Array)).toEqual(rtp(36))
  })

  it.each(SUITES)('accepts none of 20 000 packets that were tampered with (%s)', (suite) => {
    const random = randomSource(3)
    const sender = new SrtpSender(suite, KEY)
    const one = receiver(suite)
    let accepted = 0
    for (let n = 0; n < 20_000; n++) {
      const packet = protect(sender, rtp(n))
      const bad = packet.slice()
      const at = Math.floor(random() * bad.length)
      bad[at] = (bad[at] as number) ^ (1 << Math.floor(random() * 8))
      if (one.rtp(bad)) accepted++
      if (one.rtp(packet.subarray(0, Math.floor(random() * packet.length)))) accepted++
      if (n % 100 === 0) expect(one.rtp(packet)).toEqual(rtp(n))
    }
    expect(accepted).toBe(0)
  })

  it('accepts nothing under another key, nor unencrypted', () => {
    const one = receiver()
    expect(one.rtp(protect(new SrtpSender(SHA1_80, OTHER_KEY), rtp(1)))).toBeUndefined()
    expect(one.rtp(rtp(1, { bytes: 160 }))).toBeUndefined()
  })

  it('is not moved by a forged packet of a far sequence number', () => {
    const sender = new SrtpSender(SHA1_80, KEY)
    const one = receiver()
    for (let n = 0; n < 50; n++) {
      const forged = rtp(n + 20_000, { bytes: 30 })
      expect(one.rtp(forged)).toBeUndefined()
      expect(one.rtp(protect(sender, rtp(n)))).toEqual(rtp(n))
    }
  })

  it('tells streams apart, and remembers few', () => {
    const one = receiver()
    const first = protect(new SrtpSender(SHA1_80, KEY), rtp(7, { ssrc: 0 }))
    for (let ssrc = 0; ssrc < 20; ssrc++)
      expect(one.rtp(protect(new SrtpSender(SHA1_80, KEY), rtp(7, { ssrc })))).toBeDefined()
    expect(one.rtp(protect(new SrtpSender(SHA1_80, KEY), rtp(7, { ssrc: 19 })))).toBeUndefined()
    expect(one.rtp(first)).toBeDefined()
  })

  it.each([0, 1])('goes on after a new key whose counter starts anew or goes on (%i)', (roll) => {
    const old = new SrtpReceiver(SHA1_80, KEY)
    const oldSender = new SrtpSender(SHA1_80, KEY)
    for (let n = 65_000; n < 65_600; n++)
      expect(old.unprotect(protect(oldSender, rtp(n)))).toBeDefined()
    const next = new SrtpReceiver(SHA1_80, OTHER_KEY, old)
    const sender = new SrtpSender(SHA1_80, OTHER_KEY)
    // A sender that has wrapped once under its key counts from 1.
    if (roll === 1) for (const n of [65_535, 0]) protect(sender, rtp(n))
    expect(next.unprotect(protect(sender, rtp(70)))?.slice()).toEqual(rtp(70))
  })
})

describe('SRTCP', () => {
  const plain = hex(`81c8000bcafebabe${'ab'.repeat(16)}`)

  it('makes the packet that others make of the same key', () => {
    const packet = protectControl(new SrtpSender(SHA1_80, KEY), plain)
    expect(Buffer.from(packet).toString('hex')).toBe(
      '81c8000bcafebabe7128035be487b9bdbef89041f977a5a880000001993e08cd54d6c1230798',
    )
    expect(Buffer.from(receiver().rtcp(packet) ?? [])).toEqual(plain)
  })

  it('has a tag of 80 bits in the suite with 32 too (RFC 4568 §6.2.2)', () => {
    const packet = protectControl(new SrtpSender(SUITES[1] as SrtpSuite, KEY), plain)
    expect(packet.length).toBe(plain.length + 14)
    expect(receiver(SUITES[1]).rtcp(packet)).toBeDefined()
  })

  it('accepts nothing twice, nothing tampered with, nothing unencrypted', () => {
    const random = randomSource(5)
    const sender = new SrtpSender(SHA1_80, KEY)
    const one = receiver()
    for (let n = 0; n < 2000; n++) {
      const packet = protectControl(sender, plain)
      const bad = packet.slice()
      const at = Math.floor(random() * bad.length)
      bad[at] = (bad[at] as number) ^ (1 << Math.floor(random() * 8))
      expect(one.rtcp(bad)).toBeUndefined()
      expect(one.rtcp(packet)).toBeDefined()
      expect(one.rtcp(packet)).toBeUndefined()
    }
    expect(one.rtcp(plain)).toBeUndefined()
  })
})

describe('junk', () => {
  it('is refused, 100 000 datagrams of it, without a throw', () => {
    const random = randomSource(11)
    const one = receiver()
    for (let n = 0; n < 100_000; n++) {
      const bytes = Uint8Array.from({ length: Math.floor(random() * 60) }, () => random() * 256)
      if (bytes.length > 0 && n % 2) bytes[0] = 0x80 | ((bytes[0] as number) & 0x3f)
      expect(one.rtp(bytes) ?? one.rtcp(bytes)).toBeUndefined()
    }
  })
})
