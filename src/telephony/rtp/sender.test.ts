import { describe, expect, it } from 'vitest'
import { amplitudeAt, tone } from '../../../test/kit/tones.ts'
import { type Codec, createCodecs } from '../codecs/codec.ts'
import { decodeG711, pcma, pcmu } from '../codecs/g711.ts'
import { parsePacket, type RtpPacket } from './packet.ts'
import { RtpSender, type Sending } from './sender.ts'

const codecs = createCodecs(null)
const codec = (name: 'PCMU' | 'PCMA' | 'G722') => codecs.get(name) as Codec
const aloud: Sending = {
  codec: codec('PCMU'),
  payloadType: 0,
  ptimeMs: 20,
  telephoneEventPayloadType: 101,
  telephoneEventClockHz: 8000,
  aloud: true,
}

function setup(sending: Partial<Sending> = {}, rateHz = 8000) {
  const told: string[] = []
  let heard = 0
  const sender = new RtpSender({
    ssrc: 0xcafe,
    sequence: 0xfffe,
    timestamp: 0xffff_ff00,
    rateHz,
    sending: aloud,
    events: {
      started: (clip) => told.push(`started ${clip}`),
      ended: (clip, samples, whole) => told.push(`ended ${clip} ${samples} ${whole}`),
      heard: (samples) => {
        heard += samples
      },
    },
  })
  sender.agree({ ...aloud, ...sending })
  const next = (): RtpPacket => {
    const parsed = parsePacket(Uint8Array.from(sender.next() ?? []))
    if (!parsed) throw new Error('no packet')
    return parsed
  }
  return { sender, next, told, heard: () => heard }
}

const isSilent = (packet: RtpPacket) => packet.payload.every((code) => code === 0xff)

describe('RtpSender', () => {
  it('numbers packets one by one and 160 samples apart, across both wraps', () => {
    const { next } = setup()
    const packets = [next(), next(), next(), next()]
    expect(packets.map(({ sequence }) => sequence)).toEqual([0xfffe, 0xffff, 0, 1])
    expect(packets.map(({ timestamp }) => timestamp)).toEqual([0xffff_ff00, 0xffff_ffa0, 64, 224])
    expect(packets.every(({ ssrc, payload }) => ssrc === 0xcafe && payload.length === 160)).toBe(
      true,
    )
  })

  it('sends silence without a clip, and marks the first packet of each talk spurt', () => {
    const { sender, next } = setup()
    const silence = next()
    expect(isSilent(silence)).toBe(true)
    sender.enqueue(1, tone(440, 320))
    const packets = [next(), next(), next()]
    expect(packets.map(({ marker }) => marker)).toEqual([true, false, false])
    expect(packets.map(isSilent)).toEqual([false, false, true])
    sender.enqueue(2, tone(440, 160))
    expect([silence.marker, next().marker]).toEqual([false, true])
  })

  it('joins clips without a seam and fills up the last frame with silence', () => {
    const { sender, next, told, heard } = setup()
    sender.enqueue(1, tone(440, 250))
    sender.enqueue(2, tone(440, 110, { from: 250 }))
    const sound = Int16Array.from([0, 1, 2].flatMap(() => [...decodeG711(pcmu, next().payload)]))
    expect(amplitudeAt(sound.subarray(0, 360), 440)).toBeGreaterThan(7500)
    expect(sound.subarray(360).every((sample) => sample === 0)).toBe(true)
    expect(told).toEqual(['started 1', 'ended 1 250 true', 'started 2', 'ended 2 110 true'])
    expect(heard()).toBe(360)
  })

  it('tells start and end of a clip without samples', () => {
    const { sender, next, told } = setup()
    sender.enqueue(1, new Int16Array(0))
    sender.enqueue(2, tone(440, 160))
    next()
    expect(told).toEqual(['started 1', 'ended 1 0 true', 'started 2', 'ended 2 160 true'])
  })

  it('drops every clip on stop and tells how much of each was heard', () => {
    const { sender, next, told, heard } = setup()
    sender.enqueue(1, tone(440, 800))
    sender.enqueue(2, tone(440, 800))
    next()
    next()
    sender.stop()
    expect(told.slice(1)).toEqual(['ended 1 320 false', 'ended 2 0 false'])
    expect(isSilent(next())).toBe(true)
    expect(heard()).toBe(320)
  })

  it('sends events with the timestamp of their beginning while clips wait', () => {
    const { sender, next, heard } = setup()
    let done = false
    next()
    sender.enqueue(1, tone(440, 160))
    sender.press('7', () => {
      done = true
    })
    const events = Array.from({ length: 7 }, next)
    expect(events.every(({ payloadType }) => payloadType === 101)).toBe(true)
    expect(new Set(events.map(({ timestamp }) => timestamp)).size).toBe(1)
    expect(events.map(({ marker }) => marker)).toEqual([true, ...new Array(6).fill(false)])
    expect(events.every(({ payload }) => payload.length === 4 && payload[0] === 7)).toBe(true)
    const gap = [next(), next(), next()]
    expect(gap.every(isSilent)).toBe(true)
    expect([done, heard()]).toEqual([true, 0])
    expect(gap[0]?.timestamp).toBe(((events[0]?.timestamp ?? 0) + 7 * 160) >>> 0)
    expect(isSilent(next())).toBe(false)
  })

  it('presses keys as tones where no events are agreed', () => {
    const { sender, next } = setup({
      codec: codec('PCMA'),
      payloadType: 8,
      telephoneEventPayloadType: null,
    })
    sender.press('3', () => undefined)
    const sound = Int16Array.from(
      Array.from({ length: 5 }, next).flatMap(({ payload }) => [...decodeG711(pcma, payload)]),
    )
    expect(amplitudeAt(sound, 697)).toBeGreaterThan(7000)
    expect(amplitudeAt(sound, 1477)).toBeGreaterThan(7000)
  })

  it('says nothing on hold but one packet in 15 s, and goes on afterwards', () => {
    const { sender, next, told } = setup({ aloud: false })
    sender.enqueue(1, tone(440, 160))
    let sent = 0
    for (let n = 0; n < 50 * 60; n++) if (sender.next()) sent++
    expect([sent, told]).toEqual([4, []])
    sender.agree(aloud)
    const packet = next()
    expect(packet.marker).toBe(true)
    expect(packet.timestamp).toBe((0xffff_ff00 + 50 * 60 * 160) >>> 0)
    expect(told).toEqual(['started 1', 'ended 1 160 true'])
  })

  it('moves its sample clock on over frames that were skipped, and keeps the clip', () => {
    const { sender, next, heard } = setup()
    sender.enqueue(1, tone(440, 320))
    const before = next()
    sender.skip(10)
    const after = next()
    expect(after.timestamp).toBe((before.timestamp + 11 * 160) >>> 0)
    expect(after.sequence).toBe((before.sequence + 1) & 0xffff)
    expect(after.marker).toBe(true)
    expect(heard()).toBe(320)
  })

  it.each([10, 30, 40, 60])('puts %i ms into a packet', (ptimeMs) => {
    const { sender, next, heard } = setup({ ptimeMs })
    sender.enqueue(1, tone(440, 4000))
    const packets = Array.from({ length: 4 }, next)
    expect(packets.map(({ payload }) => payload.length)).toEqual(new Array(4).fill(ptimeMs * 8))
    const apart = (packets[1]?.timestamp ?? 0) - (packets[0]?.timestamp ?? 0)
    expect(apart & 0xffff).toBe(ptimeMs * 8)
    expect(heard()).toBe(4 * ptimeMs * 8)
    const sound = Int16Array.from(packets.flatMap(({ payload }) => [...decodeG711(pcmu, payload)]))
    expect(amplitudeAt(sound, 440)).toBeGreaterThan(7500)
  })

  it('counts G.722 in 8 kHz though its sound has 16', () => {
    const { sender, next, heard } = setup({ codec: codec('G722'), payloadType: 9 }, 16_000)
    sender.enqueue(1, tone(440, 3200, { rateHz: 16_000 }))
    const packets = [next(), next(), next()]
    expect(packets.map(({ payload }) => payload.length)).toEqual([160, 160, 160])
    expect(((packets[2]?.timestamp ?? 0) - (packets[1]?.timestamp ?? 0)) >>> 0).toBe(160)
    expect(heard()).toBe(960)
  })

  it.each([
    [16_000, 'PCMU'],
    [8000, 'G722'],
  ] as const)('keeps a clip whole at %i Hz when the codec changes to %s', (rateHz, name) => {
    const { sender, next, heard, told } = setup({}, rateHz)
    sender.agree({ ...aloud, codec: codec(name) })
    sender.enqueue(1, tone(440, rateHz / 10, { rateHz }))
    const sound: number[] = []
    const decoder = codec(name).decoder()
    for (let n = 0; n < 6; n++) {
      const { payload } = next()
      expect(payload.length).toBe(160)
      sound.push(...decoder.decode(payload))
    }
    const outHz = codec(name).rateHz
    const middle = Int16Array.from(sound).subarray(outHz / 50, outHz / 10)
    expect(amplitudeAt(middle, 440, outHz)).toBeGreaterThan(7000)
    expect([heard(), told.at(-1)]).toEqual([rateHz / 10, `ended 1 ${rateHz / 10} true`])
  })

  it('goes on as another stream when it is told to', () => {
    const { sender, next } = setup()
    next()
    sender.become(99, 7)
    const packet = next()
    expect([packet.ssrc, packet.sequence]).toEqual([99, 7])
  })

  it('ends clips and keys on close', () => {
    const { sender, told } = setup()
    sender.enqueue(1, tone(440, 160))
    sender.press('12', () => told.push('pressed'))
    sender.close()
    expect(told).toEqual(['ended 1 0 false', 'pressed'])
    expect(sender.idle).toBe(true)
  })
})
