import { describe, expect, it } from 'vitest'
import type { CodecName } from '../media/media.ts'
import { readSound, type Terms } from './answer.ts'
import { renderAnswer, renderOffer } from './offer.ts'

const BOTH: CodecName[] = ['PCMU', 'PCMA']
const TERMS: Terms = { codecs: BOTH, srtp: 'off' }
const LOCAL = {
  address: '192.0.2.1',
  port: 20_000,
  sessionId: 7,
  version: 1,
  srtp: 'off',
  keys: [],
} as const

function sdp(o: { session?: string[]; media?: string[] } = {}): string {
  const session = o.session ?? ['c=IN IP4 198.51.100.2', 't=0 0']
  const media = o.media ?? ['m=audio 30000 RTP/AVP 0 101', 'a=rtpmap:101 telephone-event/8000']
  return ['v=0', 'o=- 1 1 IN IP4 198.51.100.2', 's=-', ...session, ...media, ''].join('\r\n')
}

describe('renderOffer', () => {
  it('offers the codecs in order, keys, and the address', () => {
    expect(renderOffer(LOCAL, { codecs: ['PCMA', 'PCMU'], telephoneEvent: true })).toBe(
      [
        'v=0',
        'o=- 7 1 IN IP4 192.0.2.1',
        's=-',
        'c=IN IP4 192.0.2.1',
        't=0 0',
        'm=audio 20000 RTP/AVP 8 0 101',
        'a=rtpmap:8 PCMA/8000',
        'a=rtpmap:0 PCMU/8000',
        'a=rtpmap:101 telephone-event/8000',
        'a=fmtp:101 0-16',
        'a=ptime:20',
        'a=sendrecv',
        '',
      ].join('\r\n'),
    )
  })

  it('is read back as what it says', () => {
    const offer = renderOffer(LOCAL, { codecs: BOTH, telephoneEvent: true })
    expect(readSound(offer, TERMS)).toMatchObject({
      host: '192.0.2.1',
      port: 20_000,
      codec: 'PCMU',
      payloadType: 0,
      telephoneEventPayloadType: 101,
      direction: 'sendrecv',
    })
  })
})

describe('readSound', () => {
  it('takes the first format of theirs that is ours', () => {
    const media = ['m=audio 30000 RTP/AVP 18 8 0', 'a=rtpmap:18 G729/8000']
    expect(readSound(sdp({ media }), TERMS)).toMatchObject({ codec: 'PCMA', payloadType: 8 })
    expect(readSound(sdp({ media }), { ...TERMS, codecs: ['PCMU'] })).toMatchObject({
      codec: 'PCMU',
      payloadType: 0,
    })
  })

  it('takes a codec under a dynamic payload type, and not one renamed', () => {
    const media = ['m=audio 30000 RTP/AVP 0 97', 'a=rtpmap:0 G726/8000', 'a=rtpmap:97 pcmu/8000']
    expect(readSound(sdp({ media }), TERMS)).toMatchObject({ codec: 'PCMU', payloadType: 97 })
  })

  it('has no keys where they are not offered at 8 kHz', () => {
    const media = [
      'm=audio 30000 RTP/AVP 0 101 102',
      'a=rtpmap:101 telephone-event/48000',
      'a=rtpmap:102 telephone-event/8000',
    ]
    expect(readSound(sdp({ media }), TERMS)).toMatchObject({ telephoneEventPayloadType: 102 })
    expect(readSound(sdp({ media: ['m=audio 30000 RTP/AVP 0'] }), TERMS)).toMatchObject({
      telephoneEventPayloadType: null,
    })
  })

  it('prefers the address and direction of the stream', () => {
    const media = ['m=audio 30000 RTP/AVP 0', 'c=IN IP4 198.51.100.9', 'a=sendonly']
    const session = ['c=IN IP4 198.51.100.2', 't=0 0', 'a=inactive']
    expect(readSound(sdp({ session, media }), TERMS)).toMatchObject({
      host: '198.51.100.9',
      direction: 'recvonly',
    })
    expect(readSound(sdp({ session }), TERMS)).toMatchObject({ direction: 'inactive' })
  })

  it.each([
    ['sendonly', 'recvonly'],
    ['recvonly', 'sendonly'],
    ['inactive', 'inactive'],
    ['sendrecv', 'sendrecv'],
  ])('mirrors %s to %s', (theirs, ours) => {
    const media = ['m=audio 30000 RTP/AVP 0', `a=${theirs}`]
    expect(readSound(sdp({ media }), TERMS)).toMatchObject({ direction: ours })
  })

  it('reads 0.0.0.0 as a hold without an address', () => {
    const session = ['c=IN IP4 0.0.0.0', 't=0 0']
    expect(readSound(sdp({ session }), TERMS)).toMatchObject({ host: null, direction: 'inactive' })
  })

  it('takes the audio among other streams, and bare line ends', () => {
    const media = ['m=video 30002 RTP/AVP 31', 'm=audio 30000 RTP/AVP 0', 'm=audio 0 RTP/AVP 0']
    const text = sdp({ media }).replaceAll('\r\n', '\n')
    expect(readSound(text, TERMS)).toMatchObject({ taken: 1, port: 30_000 })
  })

  it.each([
    ['nothing', ''],
    ['no media', sdp({ media: [] })],
    ['a refused stream', sdp({ media: ['m=audio 0 RTP/AVP 0'] })],
    ['encrypted sound', sdp({ media: ['m=audio 30000 RTP/SAVP 0'] })],
    ['an impossible port', sdp({ media: ['m=audio 70000 RTP/AVP 0'] })],
    ['no codec of ours', sdp({ media: ['m=audio 30000 RTP/AVP 18'] })],
    ['no address', sdp({ session: ['t=0 0'] })],
    ['a host name', sdp({ session: ['c=IN IP4 media.example', 't=0 0'] })],
    ['everybody', sdp({ session: ['c=IN IP4 255.255.255.255', 't=0 0'] })],
    ['a multicast group', sdp({ session: ['c=IN IP4 239.1.1.1', 't=0 0'] })],
    ['500 streams', sdp({ media: Array.from({ length: 500 }, () => 'm=audio 1 RTP/AVP 0') })],
    ['too much text', sdp({ media: [`m=audio 30000 RTP/AVP 0`, `a=x:${'y'.repeat(5_000)}`] })],
  ])('refuses %s', (_what, text) => {
    expect(readSound(text, TERMS)).toHaveProperty('refused')
  })

  it('never throws, whatever it is given', () => {
    const good = sdp()
    let seed = 3
    const random = (n: number): number => {
      seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff
      return seed % n
    }
    for (let i = 0; i < 5_000; i++) {
      const bytes = Buffer.from(good, 'latin1')
      for (let j = 0; j < 4; j++) bytes[random(bytes.length)] = random(256)
      expect(() => readSound(bytes.toString('latin1'), TERMS)).not.toThrow()
    }
  })
})

describe('renderAnswer', () => {
  it('answers as many streams as were offered and refuses the others', () => {
    const media = ['m=video 30002 RTP/AVP 31', 'm=audio 30000 RTP/AVP 8']
    const sound = readSound(sdp({ media }), TERMS)
    if ('refused' in sound) throw new Error(sound.refused)
    const held = { ...sound, direction: 'recvonly' as const }
    const answer = renderAnswer(LOCAL, held, { telephoneEvent: false })
    expect(answer).toContain('m=video 0 RTP/AVP 31\r\nm=audio 20000 RTP/AVP 8\r\n')
    expect(answer).toContain('a=recvonly')
    expect(answer).not.toContain('telephone-event')
  })
})
