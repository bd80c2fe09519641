import { describe, expect, it } from 'vitest'
import type { Ids } from '../../core/ids.ts'
import type { CodecName } from '../media/media.ts'
import { agreementOf } from './agreement.ts'
import { type RemoteSound, readSound, type Terms } from './answer.ts'
import type { SrtpPolicy } from './keys.ts'
import { localSound, renderAnswer, renderOffer } from './offer.ts'

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

function usable(text: string, terms: Terms = TERMS): RemoteSound {
  const sound = readSound(text, terms)
  if ('refused' in sound) throw new Error(sound.refused)
  return sound
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

describe('wideband codecs', () => {
  const wide: Terms = { codecs: ['opus', 'G722', 'PCMU'], srtp: 'off' }

  it('are offered with their clocks, and keys in each clock', () => {
    const offer = renderOffer(LOCAL, { codecs: wide.codecs, telephoneEvent: true })
    expect(offer).toContain('m=audio 20000 RTP/AVP 111 9 0 101 110\r\n')
    expect(offer).toContain('a=rtpmap:111 opus/48000/2\r\na=rtpmap:9 G722/8000\r\n')
    expect(offer).toContain('a=rtpmap:110 telephone-event/48000\r\n')
    expect(offer).toContain('a=fmtp:111 maxplaybackrate=16000;sprop-maxcapturerate=16000\r\n')
    expect(readSound(offer, wide)).toMatchObject({
      codec: 'opus',
      payloadType: 111,
      telephoneEventPayloadType: 110,
      telephoneEventClockHz: 48_000,
    })
  })

  it('are taken under their static or dynamic types, Opus with keys at 8 kHz where there are no others', () => {
    const media = [
      'm=audio 30000 RTP/AVP 96 9 101',
      'a=rtpmap:96 OPUS/48000/2',
      'a=rtpmap:101 telephone-event/8000',
    ]
    expect(readSound(sdp({ media }), wide)).toMatchObject({
      codec: 'opus',
      payloadType: 96,
      telephoneEventPayloadType: 101,
      telephoneEventClockHz: 8000,
    })
    expect(readSound(sdp({ media }), { ...wide, codecs: ['G722'] })).toMatchObject({
      codec: 'G722',
      payloadType: 9,
    })
    const wrongClock = ['m=audio 30000 RTP/AVP 96', 'a=rtpmap:96 opus/16000']
    expect(readSound(sdp({ media: wrongClock }), wide)).toHaveProperty('refused')
  })

  it('are answered under the type that was offered', () => {
    const media = ['m=audio 30000 RTP/AVP 96', 'a=rtpmap:96 opus/48000/2', 'a=ptime:40']
    const answer = renderAnswer(LOCAL, usable(sdp({ media }), wide), { telephoneEvent: true })
    expect(answer).toContain('a=rtpmap:96 opus/48000/2\r\n')
    expect(answer).toContain('a=ptime:40\r\n')
  })
})

describe('packet lengths and RTCP', () => {
  const read = (...attributes: string[]) =>
    readSound(sdp({ media: ['m=audio 30000 RTP/AVP 0', ...attributes] }), TERMS)

  it('are as long as they ask, within what the codec has', () => {
    expect(read()).toMatchObject({ ptimeMs: 20 })
    expect(read('a=ptime:30')).toMatchObject({ ptimeMs: 30 })
    expect(read('a=ptime:60', 'a=maxptime:40')).toMatchObject({ ptimeMs: 40 })
  })

  it('has RTCP one port above, or where they say, or nowhere', () => {
    expect(read()).toMatchObject({ rtcp: { port: 30_001 } })
    expect(read('a=rtcp:40404')).toMatchObject({ rtcp: { port: 40_404 } })
    expect(read('a=rtcp:40404 IN IP4 198.51.100.2')).toMatchObject({ rtcp: { port: 40_404 } })
    expect(read('a=rtcp:40404 IN IP4 203.0.113.66')).toMatchObject({ rtcp: null })
    expect(read('a=rtcp:0')).toMatchObject({ rtcp: null })
    expect(readSound(sdp({ media: ['m=audio 65535 RTP/AVP 0'] }), TERMS)).toMatchObject({
      rtcp: null,
    })
  })

  it('shares the port with sound where they offer it, and says so', () => {
    const offer = usable(sdp({ media: ['m=audio 30000 RTP/AVP 0', 'a=rtcp-mux'] }))
    expect(offer.rtcp).toBe('mux')
    expect(renderAnswer(LOCAL, offer, { telephoneEvent: false })).toContain('a=rtcp-mux\r\n')
    // We offer none: an answer that has it all the same means nothing.
    const media = ['m=audio 30000 RTP/AVP 0', 'a=rtcp-mux']
    expect(readSound(sdp({ media }), { ...TERMS, offeredKeys: [] })).toMatchObject({
      rtcp: { port: 30_001 },
    })
    expect(renderOffer(LOCAL, { codecs: BOTH, telephoneEvent: true })).not.toContain('rtcp')
  })
})

describe('encrypted sound', () => {
  const THEIRS = `${'A'.repeat(39)}B`
  const keys = [
    { tag: 1, suite: 'AES_CM_128_HMAC_SHA1_80', key: `${'c'.repeat(40)}` },
    { tag: 2, suite: 'AES_CM_128_HMAC_SHA1_32', key: `${'d'.repeat(40)}` },
  ] as const
  const local = (srtp: SrtpPolicy) => ({ ...LOCAL, srtp, keys })
  const line = (tag: number, suite: string, rest = '') =>
    `a=crypto:${tag} ${suite} inline:${THEIRS}${rest}`
  const [SUITE_80, SUITE_32] = [keys[0].suite, keys[1].suite]
  const media = (profile: string, ...lines: string[]) => [
    `m=audio 30000 RTP/${profile} 0`,
    ...lines,
  ]
  const read = (srtp: SrtpPolicy, lines: string[], o: Partial<Terms> = {}) =>
    readSound(sdp({ media: lines }), { codecs: BOTH, srtp, ...o })

  it('is offered as RTP/SAVP where it is required, beside RTP/AVP where it is optional', () => {
    const required = renderOffer(local('required'), { codecs: BOTH, telephoneEvent: false })
    expect(required).toContain('m=audio 20000 RTP/SAVP 0 8\r\n')
    expect(required).toContain(`a=crypto:1 ${SUITE_80} inline:${keys[0].key}\r\n`)
    expect(required).toContain(`a=crypto:2 ${SUITE_32} inline:${keys[1].key}\r\n`)
    const optional = renderOffer(local('optional'), { codecs: BOTH, telephoneEvent: false })
    expect(optional).toContain('m=audio 20000 RTP/AVP 0 8\r\n')
    expect(optional).toContain('a=crypto:1')
    expect(renderOffer(LOCAL, { codecs: BOTH, telephoneEvent: false })).not.toContain('crypto')
  })

  it.each(['optional', 'required'] as const)('is taken from an offer where it is %s', (srtp) => {
    for (const profile of ['AVP', 'SAVP']) {
      const offer = read(srtp, media(profile, line(7, SUITE_32), line(8, SUITE_80)))
      expect(offer).toMatchObject({ crypto: { tag: 7, suite: SUITE_32, key: THEIRS } })
      const answer = renderAnswer(local(srtp), offer as RemoteSound, { telephoneEvent: false })
      expect(answer).toContain(`m=audio 20000 RTP/${profile} 0\r\n`)
      expect(answer).toContain(`a=crypto:7 ${SUITE_32} inline:${keys[1].key}\r\n`)
      expect(answer.match(/a=crypto/g)).toHaveLength(1)
    }
  })

  it('is preferred to plain sound that is offered before it', () => {
    const both = [...media('AVP'), ...media('SAVP', line(1, SUITE_80))]
    expect(read('optional', both)).toMatchObject({ taken: 1, crypto: { tag: 1 } })
    expect(read('off', both)).toMatchObject({ taken: 0, crypto: null })
  })

  it('is not taken where it is off', () => {
    expect(read('off', media('AVP', line(1, SUITE_80)))).toMatchObject({ crypto: null })
    expect(read('off', media('SAVP', line(1, SUITE_80)))).toHaveProperty('refused')
  })

  it('may be missing where it is optional, not where it is required', () => {
    expect(read('optional', media('AVP'))).toMatchObject({ crypto: null })
    expect(read('required', media('AVP'))).toEqual({
      refused: 'the trunk asks for encrypted sound (SRTP), and it is not',
    })
  })

  it.each([
    ['an unknown suite', line(1, 'AES_256_CM_HMAC_SHA1_80')],
    ['a key identifier in each packet', line(1, SUITE_80, '|2^20|1:4')],
    ['several keys', `${line(1, SUITE_80)};inline:${THEIRS}`],
    ['a key that is too short', `a=crypto:1 ${SUITE_80} inline:AAAA`],
    ['no encryption', line(1, SUITE_80, ' UNENCRYPTED_SRTP')],
    ['a key derivation of its own', line(1, SUITE_80, ' KDR=3')],
    ['nothing', ''],
  ])('is refused with %s', (_, text) => {
    expect(read('required', media('SAVP', ...(text === '' ? [] : [text])))).toEqual({
      refused: 'encrypted sound that we cannot read',
    })
    expect(read('optional', media('SAVP', line(2, SUITE_32), text))).toMatchObject({
      crypto: { tag: 2 },
    })
  })

  it.each(['|2^20', '|1048576', ' WSH=128', ' -future=1'])('is taken with %s', (rest) => {
    expect(read('required', media('SAVP', line(1, SUITE_80, rest)))).toMatchObject({
      crypto: { key: THEIRS },
    })
  })

  it('is read from an answer that repeats tag and suite of ours, and from no other', () => {
    const answered = { offeredKeys: keys }
    const good = media('SAVP', line(2, SUITE_32))
    expect(read('required', good, answered)).toMatchObject({ crypto: { tag: 2 } })
    for (const bad of [line(1, SUITE_32), line(3, SUITE_80)]) {
      expect(read('required', media('SAVP', bad), answered)).toHaveProperty('refused')
      // It would be encrypted all the same: plain is not what they mean.
      expect(read('optional', media('AVP', bad), answered)).toHaveProperty('refused')
    }
    expect(read('optional', media('AVP'), answered)).toMatchObject({ crypto: null })
    expect(read('required', media('AVP'), answered)).toHaveProperty('refused')
  })

  it('has a new key for each suite in each call', () => {
    const ids = { hex: (n: number) => 'ab'.repeat(n), fraction: () => 0.5 } as Ids
    const made = localSound(ids, { address: '192.0.2.1', port: 4, srtp: 'optional' })
    expect(made.keys.map(({ suite }) => suite)).toEqual([SUITE_80, SUITE_32])
    for (const { key } of made.keys) expect(Buffer.from(key, 'base64')).toHaveLength(30)
    expect(localSound(ids, { address: '192.0.2.1', port: 4, srtp: 'off' }).keys).toEqual([])
  })

  it('becomes the agreement: our key of their suite, theirs, and how keys are pressed', () => {
    const remote = usable(sdp({ media: media('SAVP', line(1, SUITE_32)) }), {
      codecs: BOTH,
      srtp: 'required',
    })
    const o = { local: local('required'), remote, host: '198.51.100.2', signallingHost: 's' }
    expect(agreementOf({ ...o, dtmf: 'rfc4733' })).toMatchObject({
      srtp: { suite: SUITE_32, sendKey: keys[1].key, receiveKey: THEIRS },
      telephoneEventPayloadType: null,
      listenForTones: true,
    })
    expect(agreementOf({ ...o, dtmf: 'info' })).toMatchObject({ listenForTones: false })
    const withEvents = { ...remote, telephoneEventPayloadType: 101 }
    expect(agreementOf({ ...o, remote: withEvents, dtmf: 'rfc4733' })).toMatchObject({
      telephoneEventPayloadType: 101,
      listenForTones: false,
    })
    expect(agreementOf({ ...o, remote: withEvents, dtmf: 'inband' })).toMatchObject({
      telephoneEventPayloadType: null,
      listenForTones: true,
    })
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
