/** Encryption, RTCP, wideband codecs and keys of the media worker, over real sockets. */
import { readdirSync, readFileSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import { createIds } from '../../src/core/ids.ts'
import { type Log, silentLog } from '../../src/core/log.ts'
import type { Agreement, MediaSession, SrtpKeys } from '../../src/telephony/media/media.ts'
import { createMedia, type MediaOptions } from '../../src/telephony/media/worker-media.ts'
import { parseReport } from '../../src/telephony/rtp/rtcp.ts'
import { SrtpReceiver } from '../../src/telephony/rtp/srtp.ts'
import { sleep, until } from '../kit/rtp-peer.ts'
import { agreed, talker } from '../kit/rtp-session.ts'
import { sharedDataDir } from '../kit/speech.ts'
import { amplitudeAt, shared, tone } from '../kit/tones.ts'

const cleanUps: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

async function openMedia(o: Partial<MediaOptions> = {}) {
  const media = createMedia({
    clock: systemClock,
    log: silentLog,
    ids: createIds(systemClock, (n) => crypto.getRandomValues(new Uint8Array(n))),
    bindHost: '127.0.0.1',
    portRange: [0, 0],
    silenceTimeoutMs: 30_000,
    ...o,
  })
  cleanUps.push(() => media.stop())
  return media
}

/** A socket that remembers what came, and from which port. */
async function openSocket(port = 0) {
  const came: { bytes: Uint8Array; port: number }[] = []
  const socket = await Bun.udpSocket({
    hostname: '127.0.0.1',
    port,
    socket: {
      data(_, bytes, from) {
        came.push({ bytes: Uint8Array.from(bytes), port: from })
      },
      error() {},
    },
  })
  cleanUps.push(() => socket.close())
  return { came, socket, port: socket.port }
}

/** Two ports one after the other, as a human's telephone has. */
async function openPair() {
  for (;;) {
    const rtp = await openSocket()
    const rtcp = rtp.port % 2 === 0 ? await openSocket(rtp.port + 1).catch(() => null) : null
    if (rtcp) return { rtp, rtcp }
  }
}

function agree(session: MediaSession, port: number, change: Partial<Agreement>): void {
  session.agree({
    ...agreed,
    remote: { host: '127.0.0.1', port },
    signallingHost: '127.0.0.1',
    ...change,
  })
}

/** Sends what `next` makes, every `ms`, until the returned function is called. */
function every(ms: number, send: () => void): () => void {
  const begun = performance.now()
  let n = 0
  const timer = setInterval(() => {
    for (; begun + n * ms <= performance.now(); n++) send()
  }, 5)
  cleanUps.push(() => clearInterval(timer))
  return () => clearInterval(timer)
}

const keys: SrtpKeys = {
  suite: 'AES_CM_128_HMAC_SHA1_80',
  sendKey: Buffer.alloc(30, 1).toString('base64'),
  receiveKey: Buffer.alloc(30, 2).toString('base64'),
}
const theirKeys: SrtpKeys = { ...keys, sendKey: keys.receiveKey, receiveKey: keys.sendKey }

describe('media over real sockets', () => {
  it('is encrypted both ways, and hears nothing that is tampered with or sent again', async () => {
    const media = await openMedia()
    const session = await media.open()
    const human = await openSocket()
    agree(session, human.port, { srtp: keys })
    session.mouth.enqueue(shared(tone(440, 16_000)))
    const next = talker({ srtp: theirKeys })
    let last = next()
    every(20, () => {
      const bad = last.slice()
      bad[40] = (bad[40] ?? 0) ^ 1
      for (const bytes of [bad, last, last])
        human.socket.send(bytes, session.localPort, '127.0.0.1')
      last = next()
    })
    await sleep(2500)
    const heard = session.ears.read(session.ears.written - 8000, session.ears.written - 800)
    expect(amplitudeAt(heard, 500)).toBeGreaterThan(7000)
    const receiver = new SrtpReceiver(keys.suite, keys.sendKey)
    expect(human.came.length).toBeGreaterThan(80)
    expect(human.came.every(({ bytes }) => receiver.unprotect(bytes))).toBe(true)
    const { packetsReceived, packetsUnauthentic } = session.stats()
    expect(packetsReceived).toBeGreaterThan(40)
    expect(Math.abs(packetsUnauthentic - 2 * packetsReceived)).toBeLessThan(20)
  })

  it('reports by RTCP on the port above, and says BYE at the end', async () => {
    const media = await openMedia()
    const session = await media.open()
    const { rtp, rtcp } = await openPair()
    agree(session, rtp.port, { rtcp: { port: rtcp.port } })
    await until(() => rtcp.came.length > 0)
    expect(rtcp.came[0]?.port).toBe(session.localPort + 1)
    expect(parseReport(rtcp.came[0]?.bytes ?? new Uint8Array(0))?.sender?.packets).toBeGreaterThan(
      50,
    )
    session.close()
    await until(() => rtcp.came.length > 1)
    expect([...(rtcp.came.at(-1)?.bytes.subarray(-8, -4) ?? [])]).toEqual([0x81, 203, 0, 1])
    expect(rtp.came.every(({ bytes }) => bytes[1] === 0)).toBe(true)
  })

  it('sends no RTCP to a stranger that sends some', async () => {
    const media = await openMedia()
    const session = await media.open()
    const { rtp, rtcp } = await openPair()
    const stranger = await openSocket()
    agree(session, rtp.port, { rtcp: { port: rtcp.port } })
    await until(() => rtcp.came.length > 0)
    const stolen = rtcp.came[0]?.bytes ?? new Uint8Array(0)
    const stop = every(20, () => {
      stranger.socket.send(stolen, session.localPort + 1, '127.0.0.1')
      stranger.socket.send(stolen, session.localPort, '127.0.0.1')
    })
    await until(() => rtcp.came.length > 1)
    stop()
    await sleep(50)
    session.close()
    await sleep(100)
    expect(stranger.came).toEqual([])
  })

  it.each(['G722', 'opus'] as const)('carries 5 kHz in %s', async (codec) => {
    const media = await openMedia({ opusDir: sharedDataDir() })
    const [first, second] = [await media.open(), await media.open()]
    expect(first.codecs).toEqual(new Set(['PCMU', 'PCMA', 'G722', 'opus']))
    const payloadType = codec === 'G722' ? 9 : 111
    agree(first, second.localPort, { codec, payloadType })
    agree(second, first.localPort, { codec, payloadType })
    expect(first.ears.rateHz).toBe(16_000)
    first.mouth.enqueue(shared(tone(5000, 32_000, { rateHz: 16_000 })))
    await sleep(1800)
    const { written } = second.ears
    const heard = second.ears.read(written - 12_000, written - 4000)
    expect(amplitudeAt(heard, 5000, 16_000)).toBeGreaterThan(5000)
    expect(second.stats().packetsLost).toBe(0)
  })

  it('tells keys between two of our own, as events and as tones', async () => {
    const media = await openMedia()
    const [first, second] = [await media.open(), await media.open()]
    const keysHeard: string[] = []
    second.onDigit((digit) => keysHeard.push(digit))
    for (const change of [{}, { telephoneEventPayloadType: null, listenForTones: true }]) {
      agree(first, second.localPort, change)
      agree(second, first.localPort, change)
      await sleep(300)
      await first.sendDigits('1*09#')
      await sleep(150)
    }
    expect(keysHeard.join('')).toBe('1*09#1*09#')
  })

  it('is without Opus where that cannot be loaded, and says so once', async () => {
    const told: unknown[] = []
    const log: Log = { ...silentLog, warn: (message) => told.push(message) }
    const media = await openMedia({ log, opusDir: '/dev/null/nowhere' })
    const [first, second] = [await media.open(), await media.open()]
    expect(first.codecs.has('opus')).toBe(false)
    expect(second.codecs.has('G722')).toBe(true)
    expect(told).toEqual(['Opus is not offered'])
  })

  it('runs before the other threads where the system lets it', async () => {
    const niceOf = (thread: string): number =>
      Number(readFileSync(`/proc/self/task/${thread}/stat`, 'utf8').split(') ')[1]?.split(' ')[16])
    const preferred = (): number =>
      readdirSync('/proc/self/task').filter((thread) => niceOf(thread) === -10).length
    const before = preferred()
    const media = await openMedia()
    await media.open()
    // nice(1) complains where it may not, and runs the program all the same.
    const mayBe = Bun.spawnSync(['nice', '-n', '-10', 'true']).stderr.length === 0
    expect(preferred() > before).toBe(mayBe)
  })

  it('counts how late packets leave', async () => {
    const media = await openMedia()
    const session = await media.open()
    const human = await openSocket()
    agree(session, human.port, {})
    await sleep(600)
    const { packets, p50, p99, max } = media.lateness.figures()
    expect(packets).toBeGreaterThan(20)
    expect(p50).toBeLessThanOrEqual(p99)
    expect(p99).toBeLessThanOrEqual(max)
    media.lateness.clear()
    expect(media.lateness.figures().packets).toBeLessThan(packets)
  })
})
