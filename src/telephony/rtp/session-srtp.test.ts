import { describe, expect, it } from 'vitest'
import { agreed, HUMAN, openSession, talker } from '../../../test/kit/rtp-session.ts'
import { randomSource } from '../../../test/kit/seeded.ts'
import { amplitudeAt, tone } from '../../../test/kit/tones.ts'
import { decodeG711, pcmu } from '../codecs/g711.ts'
import type { SrtpKeys, SrtpSuite } from '../media/media.ts'
import { parseReport } from './rtcp.ts'
import { SrtpReceiver } from './srtp.ts'

const key = (n: number): string => Buffer.alloc(30, n).toString('base64')
const ours: SrtpKeys = { suite: 'AES_CM_128_HMAC_SHA1_80', sendKey: key(1), receiveKey: key(2) }
/** The same from the other side. */
const theirs = (keys: SrtpKeys): SrtpKeys => ({
  suite: keys.suite,
  sendKey: keys.receiveKey,
  receiveKey: keys.sendKey,
})

/** Hears what we send, as the other side does. */
function listener(keys: SrtpKeys) {
  const receiver = new SrtpReceiver(keys.suite, keys.sendKey)
  return (bytes: Uint8Array): Uint8Array | undefined => receiver.unprotect(bytes.slice())
}

describe('an encrypted session', () => {
  it.each(['AES_CM_128_HMAC_SHA1_80', 'AES_CM_128_HMAC_SHA1_32'] as SrtpSuite[])(
    'speaks and hears in %s',
    (suite) => {
      const keys = { ...ours, suite }
      const { session, run, sent, lately } = openSession({ srtp: keys })
      const next = talker({ srtp: theirs(keys) })
      const hear = listener(keys)
      session.enqueue(1, tone(440, 16_000), 0)
      run(0, 2000, (now) => session.receive(next(), HUMAN.host, HUMAN.port, now))
      expect(amplitudeAt(lately(), 500)).toBeGreaterThan(7800)
      const spoken = sent.flatMap(({ bytes }) => [
        ...decodeG711(pcmu, (hear(bytes) ?? new Uint8Array(12)).subarray(12)),
      ])
      expect(amplitudeAt(Int16Array.from(spoken).subarray(0, 8000), 440)).toBeGreaterThan(7800)
      expect(session.stats()).toMatchObject({
        encrypted: true,
        packetsUnauthentic: 0,
        packetsLost: 0,
      })
      // What is on the wire is not the sound.
      const wire = sent.flatMap(({ bytes }) => [...decodeG711(pcmu, bytes.subarray(12, 172))])
      expect(amplitudeAt(Int16Array.from(wire), 440)).toBeLessThan(1000)
    },
  )

  it('hears no sample that was tampered with, sent again, unencrypted or under another key', () => {
    const { session, run, all } = openSession({ srtp: ours })
    const random = randomSource(1)
    const next = talker({ srtp: theirs(ours) })
    const plain = talker({ hz: 1700 })
    const stranger = talker({ hz: 1700, srtp: { ...theirs(ours), sendKey: key(9) } })
    const kept: Uint8Array[] = []
    run(0, 10_000, (now) => {
      const good = next()
      kept.push(good.slice())
      const bad = good.slice()
      const at = Math.floor(random() * bad.length)
      bad[at] = (bad[at] as number) ^ (1 << Math.floor(random() * 8))
      const again = kept[Math.floor(random() * kept.length)]?.slice()
      for (const forged of [bad, plain(), stranger()])
        session.receive(forged, HUMAN.host, HUMAN.port, now)
      session.receive(good, HUMAN.host, HUMAN.port, now + 1)
      if (again) session.receive(again, HUMAN.host, HUMAN.port, now + 2)
    })
    expect(session.stats().packetsReceived).toBe(500)
    expect(session.stats().packetsUnauthentic).toBe(4 * 500)
    expect(amplitudeAt(all().subarray(400), 500)).toBeGreaterThan(7900)
    expect(amplitudeAt(all().subarray(400), 1700)).toBeLessThan(20)
  })

  it('is moved to no other source by packets that nobody vouches for', () => {
    const { session, run, sent } = openSession({ srtp: ours })
    const plain = talker()
    run(0, 3000, (now) => session.receive(plain(), HUMAN.host, 61_000, now))
    expect(new Set(sent.map(({ to }) => to))).toEqual(new Set(['198.51.100.7:4000']))
  })

  it('takes new keys in a call, and what was under way under the old ones', () => {
    const { session, run, lately } = openSession({ srtp: ours })
    const early = talker({ srtp: theirs(ours) })
    run(0, 1000, (now) => session.receive(early(), HUMAN.host, HUMAN.port, now))
    const changed = { ...ours, receiveKey: key(3) }
    session.agree({ ...agreed, srtp: changed }, 1000)
    run(1000, 1200, (now) => session.receive(early(), HUMAN.host, HUMAN.port, now))
    expect(session.stats()).toMatchObject({ packetsReceived: 60, packetsUnauthentic: 0 })
    const late = talker({ srtp: theirs(changed), hz: 700, ssrc: 78 })
    run(1200, 3000, (now) => session.receive(late(), HUMAN.host, HUMAN.port, now))
    expect(amplitudeAt(lately(), 700)).toBeGreaterThan(7800)
    // The old key counts for nothing once the new one does.
    session.receive(early(), HUMAN.host, HUMAN.port, 3000)
    expect(session.stats().packetsUnauthentic).toBe(1)
  })

  it('sends nothing twice under one key: a changed key begins another stream, a repeated one none', () => {
    const { session, run, sent } = openSession({ srtp: ours })
    const hear = listener(ours)
    run(0, 500)
    session.agree({ ...agreed, srtp: { ...ours }, direction: 'sendonly' }, 500)
    run(500, 1000)
    expect(sent.every(({ bytes }) => hear(bytes))).toBe(true)
    const other = { ...ours, suite: 'AES_CM_128_HMAC_SHA1_32' as const, sendKey: key(4) }
    session.agree({ ...agreed, srtp: other }, 1000)
    session.tick(1000)
    session.agree({ ...agreed, srtp: ours }, 1020)
    session.tick(1020)
    const ssrcs = sent.map(({ bytes }) => Buffer.from(bytes.subarray(8, 12)).readUInt32BE())
    expect([...new Set(ssrcs)]).toHaveLength(3)
    expect(hear(sent.at(-1)?.bytes ?? new Uint8Array(0))).toBeDefined()
  })

  it('is plain again where that is agreed on', () => {
    const { session, run, sent, lately } = openSession({ srtp: ours })
    run(0, 100)
    session.agree(agreed, 100)
    const plain = talker()
    run(100, 2000, (now) => session.receive(plain(), HUMAN.host, HUMAN.port, now))
    expect(sent.at(-1)?.bytes).toHaveLength(172)
    expect(amplitudeAt(lately(), 500)).toBeGreaterThan(7800)
    expect(session.stats().encrypted).toBe(false)
  })

  it('encrypts its reports, and believes none that are not', () => {
    const { session, run, control } = openSession({ srtp: ours, rtcp: { port: 4001 } })
    run(0, 20_000)
    expect(control.length).toBeGreaterThanOrEqual(2)
    const receiver = new SrtpReceiver(ours.suite, ours.sendKey)
    for (const { bytes } of control) {
      const plain = receiver.unprotectControl(bytes.slice())
      expect(plain && parseReport(plain)?.sender?.packets).toBeGreaterThan(0)
      session.receiveControl(plain?.slice() ?? bytes, HUMAN.host, 4001, 20_000)
    }
    expect(session.stats().packetsUnauthentic).toBe(control.length)
    expect(session.stats().remote).toBeNull()
  })

  it('survives 20 000 mutated packets and hears none of them', () => {
    const { session, run, all } = openSession({ srtp: ours, rtcp: 'mux' })
    const random = randomSource(8)
    const next = talker({ srtp: theirs(ours) })
    run(0, 4000, (now) => {
      for (let k = 0; k < 100; k++) {
        const bytes = next()
        bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256)
        const cut = Math.floor(random() * bytes.length)
        session.receive(bytes.subarray(0, cut), HUMAN.host, HUMAN.port, now)
      }
    })
    expect(session.stats().packetsReceived).toBe(0)
    expect(all().every((sample) => sample === 0)).toBe(true)
  })
})
