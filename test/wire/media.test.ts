import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import { createIds } from '../../src/core/ids.ts'
import { type Log, silentLog } from '../../src/core/log.ts'
import type { Agreement, MediaSession } from '../../src/telephony/media/media.ts'
import { createMedia } from '../../src/telephony/media/worker-media.ts'
import { openPeer, type Peer, quantile, sleep, until } from '../kit/rtp-peer.ts'
import { amplitudeAt, shared, tone } from '../kit/tones.ts'

const cleanUps: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

async function setup(
  o: { silenceTimeoutMs?: number; portRange?: [number, number]; log?: Log } = {},
) {
  const media = createMedia({
    clock: systemClock,
    log: o.log ?? silentLog,
    ids: createIds(systemClock, (n) => crypto.getRandomValues(new Uint8Array(n))),
    bindHost: '127.0.0.1',
    portRange: o.portRange ?? [0, 0],
    silenceTimeoutMs: o.silenceTimeoutMs ?? 30_000,
  })
  cleanUps.push(() => media.stop())
  return media
}

async function peer(): Promise<Peer> {
  const one = await openPeer()
  cleanUps.push(() => one.close())
  return one
}

function silenceOf(session: MediaSession): Promise<void> {
  return new Promise((done) => session.onSilent(done))
}

function agree(session: MediaSession, to: { port: number }, change: Partial<Agreement> = {}): void {
  session.agree({
    remote: { host: '127.0.0.1', port: to.port },
    signallingHost: '127.0.0.1',
    codec: 'PCMU',
    payloadType: 0,
    telephoneEventPayloadType: 101,
    telephoneEventClockHz: 8000,
    listenForTones: false,
    ptimeMs: 20,
    srtp: null,
    rtcp: null,
    direction: 'sendrecv',
    ...change,
  })
}

async function talking(change: Partial<Agreement> = {}) {
  const media = await setup()
  const other = await peer()
  const session = await media.open()
  agree(session, other, change)
  await until(() => other.packets.length > 2)
  return { media, other, session }
}

describe('media over real sockets', () => {
  it.each(['PCMU', 'PCMA'] as const)('carries a tone both ways in %s', async (codec) => {
    const { other, session } = await talking({ codec, payloadType: codec === 'PCMU' ? 0 : 8 })
    const stopTalking = other.talk(session.localPort, tone(880, 8000), { codec })
    const playback = session.mouth.enqueue(shared(tone(440, 8000)))
    expect(await playback.started).toBe(true)
    expect(await playback.ended).toEqual({ heardSamples: 8000, whole: true })
    stopTalking()
    await sleep(50)

    const sent = other.sound(codec)
    expect(amplitudeAt(sent.subarray(-8000), 440)).toBeGreaterThan(6500)
    expect(amplitudeAt(sent.subarray(-8000), 880)).toBeLessThan(200)
    const heard = session.ears.read(session.ears.written - 6000, session.ears.written - 1500)
    expect(amplitudeAt(heard, 880)).toBeGreaterThan(6500)
    expect(amplitudeAt(heard, 440)).toBeLessThan(200)
    expect(session.ears.heard).toBe(8000)
    const sequences = other.packets.map((packet) => packet.sequence)
    expect(sequences).toEqual(sequences.map((_, n) => ((sequences[0] as number) + n) & 0xffff))
  })

  it('keeps its beat while the main thread is busy 50 ms in every 500', async () => {
    const media = await setup()
    const listener = new Worker(new URL('../kit/rtp-listener-worker.ts', import.meta.url).href)
    cleanUps.push(() => listener.terminate())
    const told: (number | number[])[] = []
    listener.onmessage = (event: MessageEvent<number | number[]>) => told.push(event.data)
    await until(() => told.length === 1)
    const session = await media.open()

    const gapsOf = async (busy: boolean): Promise<number[]> => {
      const before = told.length
      listener.postMessage('begin')
      const end = Date.now() + 5000
      let played = 0
      while (Date.now() < end) {
        if (played++ % 4 === 0) session.mouth.enqueue(shared(tone(440, 4000)))
        await sleep(450)
        const stall = Date.now() + 50
        while (busy && Date.now() < stall);
      }
      listener.postMessage('report')
      await until(() => told.length > before)
      return told.at(-1) as number[]
    }
    agree(session, { port: told[0] as number })
    const idle = await gapsOf(false)
    const busy = await gapsOf(true)
    for (const [name, gaps] of Object.entries({ idle, busy }))
      console.log(
        `gaps with main ${name}: ${gaps.length} packets, ms p50 ${quantile(gaps, 0.5).toFixed(2)}, ` +
          `p99 ${quantile(gaps, 0.99).toFixed(2)}, max ${Math.max(...gaps).toFixed(2)}`,
      )
    expect(busy.length).toBeGreaterThan(235)
    // Sent by the main thread, one gap in ten would be longer than 50 ms.
    expect(quantile(busy, 0.95)).toBeLessThan(45)
  })

  it('lets a clip that comes in silence leave well before the next beat on average', async () => {
    const { other, session } = await talking()
    const waits: number[] = []
    for (let n = 0; n < 20; n++) {
      await sleep(300 + n)
      const from = performance.now()
      const before = other.packets.length
      session.mouth.enqueue(shared(tone(440, 160)))
      await until(() => other.packets.slice(before).some((packet) => packet.marker))
      const at = other.packets.slice(before).find((packet) => packet.marker)?.at ?? 0
      waits.push(at - from)
    }
    console.log(`clip to wire in silence: ms p50 ${quantile(waits, 0.5).toFixed(2)}`)
    expect(quantile(waits, 0.5)).toBeLessThan(8)
  })

  it('pauses within two beats when another thread raises the flag, and goes on from the same sample', async () => {
    const { other, session } = await talking()
    session.mouth.arm({ minSpeech: 800, graceUntil: 0, graceMinSpeech: 800 })
    const first = session.mouth.enqueue(shared(tone(440, 16_000)))
    const second = session.mouth.enqueue(shared(tone(440, 16_000)))
    await first.started
    await sleep(200)
    const detector = new Worker(new URL('../kit/stop-flag-worker.ts', import.meta.url).href)
    cleanUps.push(() => detector.terminate())
    const raised = new Promise<number>((done) => {
      detector.onmessage = (event: MessageEvent<number>) => done(event.data)
    })
    detector.postMessage(session.ears.buffer)
    const at = (await raised) - performance.timeOrigin
    await sleep(200)
    const loud = () => other.packets.filter(({ payload }) => payload.some((code) => code !== 0xff))
    expect(loud().at(-1)?.at).toBeLessThan(at + 45)
    expect(session.ears.heard).toBe(loud().length * 160)
    session.mouth.resume()
    expect(await first.ended).toEqual({ heardSamples: 16_000, whole: true })
    session.mouth.stop()
    expect((await second.ended).whole).toBe(false)
    await sleep(100)
    expect(session.ears.heard).toBe(loud().length * 160)
  })

  it('drops what plays on mouth.stop, and what is queued after it plays', async () => {
    const { session } = await talking()
    const dropped = session.mouth.enqueue(shared(tone(440, 16_000)))
    await dropped.started
    session.mouth.stop()
    const next = session.mouth.enqueue(shared(tone(440, 400)))
    expect((await dropped.ended).whole).toBe(false)
    expect(await next.ended).toEqual({ heardSamples: 400, whole: true })
  })

  it('presses keys as events, and as tones where the other side takes no events', async () => {
    const { other, session } = await talking()
    await session.sendDigits('4#')
    const events = other.packets.filter(({ payloadType }) => payloadType === 101)
    expect(events.map(({ payload }) => payload[0])).toEqual([
      ...new Array(7).fill(4),
      ...new Array(7).fill(11),
    ])
    agree(session, other, { telephoneEventPayloadType: null })
    const before = other.sound('PCMU').length
    await session.sendDigits('4')
    const sound = other.sound('PCMU').subarray(before)
    expect(amplitudeAt(sound, 770)).toBeGreaterThan(2000)
    expect(amplitudeAt(sound, 1209)).toBeGreaterThan(2000)
    await expect(session.sendDigits('4x')).rejects.toThrow('pressing keys')
  })

  it('hears nothing of a stranger and sends nothing to it', async () => {
    const { other, session } = await talking()
    const stranger = await peer()
    const stopTalking = other.talk(session.localPort, tone(880, 16_000))
    await sleep(100)
    const last = other.sent
    const stopInjecting = stranger.talk(session.localPort, tone(1500, 16_000), { like: last })
    await sleep(1000)
    const heard = session.ears.read(session.ears.written - 6000, session.ears.written)
    stopTalking()
    stopInjecting()
    expect(amplitudeAt(heard, 880)).toBeGreaterThan(6500)
    expect(amplitudeAt(heard, 1500)).toBeLessThan(100)
    expect(stranger.packets).toHaveLength(0)
    await sleep(1100)
    expect(session.stats().packetsForeign).toBeGreaterThan(40)
    expect(session.stats().packetsReceived).toBeGreaterThan(40)
  })

  it('survives an ICMP refusal and tells it once', async () => {
    const told: string[] = []
    const log: Log = { ...silentLog, debug: (message) => told.push(message) }
    const media = await setup({ log })
    const gone = await openPeer()
    const session = await media.open()
    const neighbour = await media.open()
    const other = await peer()
    agree(session, gone)
    agree(neighbour, other)
    gone.close()
    await sleep(700)
    const before = other.packets.length
    await sleep(300)
    expect(other.packets.length - before).toBeGreaterThan(10)
    expect(told).toEqual(['an RTP socket reported an error'])
    const playback = session.mouth.enqueue(shared(tone(440, 320)))
    expect((await playback.ended).whole).toBe(true)
  })

  it('survives datagrams of junk', async () => {
    const { other, session } = await talking()
    for (let n = 0; n < 300; n++)
      other.raw(session.localPort, crypto.getRandomValues(new Uint8Array(n)))
    const stopTalking = other.talk(session.localPort, tone(880, 8000))
    await sleep(500)
    stopTalking()
    const heard = session.ears.read(session.ears.written - 2000, session.ears.written - 400)
    expect(amplitudeAt(heard, 880)).toBeGreaterThan(6500)
  })

  it('tells silence after its time, but not on hold', async () => {
    const media = await setup({ silenceTimeoutMs: 300 })
    const other = await peer()
    const held = await media.open()
    const lively = await media.open()
    let heldSilent = false
    held.onSilent(() => {
      heldSilent = true
    })
    agree(held, other, { direction: 'recvonly' })
    agree(lively, other)
    await silenceOf(lively)
    await sleep(100)
    expect(heldSilent).toBe(false)
  })

  it('follows real time with silence when the other side sends nothing', async () => {
    const { session } = await talking()
    const [from, at] = [session.ears.written, performance.now()]
    await sleep(1000)
    const ms = (session.ears.written - from) / 8
    expect(Math.abs(ms - (performance.now() - at))).toBeLessThan(90)
  })

  it('settles every playback and key on close, and frees the port', async () => {
    const { media, other, session } = await talking()
    const playing = session.mouth.enqueue(shared(tone(440, 16_000)))
    const waiting = session.mouth.enqueue(shared(tone(440, 16_000)))
    await playing.started
    await sleep(200)
    const pressed = session.sendDigits('123')
    session.close()
    session.close()
    const { heardSamples, whole } = await playing.ended
    expect(whole).toBe(false)
    expect(heardSamples).toBeGreaterThan(800)
    expect(await waiting.started).toBe(false)
    expect(await waiting.ended).toEqual({ heardSamples: 0, whole: false })
    await pressed
    const after = session.mouth.enqueue(shared(tone(440, 160)))
    expect(await after.started).toBe(false)
    await session.sendDigits('1')
    await sleep(50)
    const sent = other.packets.length
    await sleep(100)
    expect(other.packets.length).toBe(sent)
    expect(session.stats().packetsSent).toBe(sent)
    const { localPort } = session
    const again = await Bun.udpSocket({ hostname: '127.0.0.1', port: localPort })
    again.close()
    expect((await media.open()).localPort % 2).toBe(0)
  })

  it('takes even ports of its range, each once, and says when none is free', async () => {
    const probe = await openPeer()
    const base = Math.min(probe.port + (probe.port % 2), 65_000)
    probe.close()
    const media = await setup({ portRange: [base, base + 5] })
    const sessions = await Promise.all([media.open(), media.open(), media.open()])
    const ports = sessions.map((session) => session.localPort).sort()
    expect(ports).toEqual([base, base + 2, base + 4])
    await expect(media.open()).rejects.toThrow(`no even port is free in ${base}-${base + 5}`)
    sessions[1]?.close()
    expect((await media.open()).localPort).toBe(sessions[1]?.localPort)
  })

  it('ends every session when its worker dies, and opens new ones on another', async () => {
    const workers: Worker[] = []
    const RealWorker = globalThis.Worker
    globalThis.Worker = class extends RealWorker {
      constructor(url: string | URL) {
        super(url)
        workers.push(this)
      }
    }
    cleanUps.push(() => {
      globalThis.Worker = RealWorker
    })
    const errors: string[] = []
    const media = await setup({ log: { ...silentLog, error: (message) => errors.push(message) } })
    const other = await peer()
    expect(workers).toHaveLength(0)
    const [first, second] = [await media.open(), await media.open()]
    expect(workers).toHaveLength(1)
    agree(first, other)
    const playing = first.mouth.enqueue(shared(tone(440, 16_000)))
    await playing.started
    await sleep(100)
    workers[0]?.terminate()
    await Promise.all([silenceOf(first), silenceOf(second)])
    const { heardSamples, whole } = await playing.ended
    expect([whole, heardSamples]).toEqual([false, first.ears.heard])
    expect(heardSamples).toBeGreaterThan(300)
    expect(errors).toEqual(['The media worker died'])

    const third = await media.open()
    expect(workers).toHaveLength(2)
    const before = other.packets.length
    agree(third, other)
    await until(() => other.packets.length > before + 2)
  })

  it('stops: sessions end, ports are free, and open says so', async () => {
    const { media, session } = await talking()
    const playing = session.mouth.enqueue(shared(tone(440, 16_000)))
    await media.stop()
    await media.stop()
    expect((await playing.ended).whole).toBe(false)
    await expect(media.open()).rejects.toThrow('media is stopped')
    const again = await Bun.udpSocket({ hostname: '127.0.0.1', port: session.localPort })
    again.close()
  })
})
