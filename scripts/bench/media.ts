/**
 * The figures of media: many legs in one media worker, each speaking and hearing all the time, against another process
 * on loopback. How late packets leave (p99), and how much of a core a leg takes. By hand, on a machine with nothing
 * else to do: `LEGS=500 SECONDS=20 CODEC=PCMU SRTP=1 bun scripts/bench/media.ts`; with BENCH_JSON it prints `MediaFound`.
 */
import { randomBytes } from 'node:crypto'
import { loadavg } from 'node:os'
import { systemClock } from '../../src/core/clock.ts'
import { createIds } from '../../src/core/ids.ts'
import { silentLog } from '../../src/core/log.ts'
import { sharedSamples } from '../../src/core/pcm.ts'
import { FORMATS } from '../../src/telephony/codecs/formats.ts'
import type { CodecName, MediaSession, SrtpKeys } from '../../src/telephony/media/media.ts'
import { createMedia } from '../../src/telephony/media/worker-media.ts'
import { openSpeaker } from './media-speaker.ts'

const LEGS = Number(process.env.LEGS ?? 500)
const SECONDS = Number(process.env.SECONDS ?? 20)
const CODEC = (process.env.CODEC ?? 'PCMU') as CodecName
const WARM_UP_MS = 5000
const KEY = Buffer.alloc(30, 1).toString('base64')
const KEYS: SrtpKeys | null =
  process.env.SRTP === '1'
    ? { suite: 'AES_CM_128_HMAC_SHA1_80', sendKey: KEY, receiveKey: KEY }
    : null

export interface MediaFound {
  legs: number
  /** How late packets left, in ms. */
  lateMs: { p50: number; p99: number; max: number }
  /** CPU of this process, kernel included. */
  corePercentPerLeg: number
  packetsPerSecond: { sent: number; received: number }
}

async function main(): Promise<void> {
  const ids = createIds(systemClock, (n) => randomBytes(n))
  const media = createMedia({
    clock: systemClock,
    log: silentLog,
    ids,
    bindHost: '127.0.0.1',
    portRange: [20_000, 20_000 + 2 * LEGS + 1],
    silenceTimeoutMs: 60_000,
    ...(CODEC === 'opus' ? { opusDir: process.env.DATA_DIR ?? '/tmp/landline-bench' } : {}),
  })
  const sessions: MediaSession[] = []
  for (let n = 0; n < LEGS; n++) sessions.push(await media.open())
  const speaker = openSpeaker()
  const port = await speaker.port
  for (const session of sessions) {
    agree(session, port)
    // Legs begin at moments of their own, as calls do.
    await Bun.sleep(20 / LEGS + 0.5)
  }
  const clip = soundFor(SECONDS + 2 * (WARM_UP_MS / 1000))
  for (const session of sessions) session.mouth.enqueue(clip)
  speaker.speak({ ports: sessions.map(({ localPort }) => localPort), codec: CODEC, keys: KEYS })
  await Bun.sleep(WARM_UP_MS)
  await measure(media, sessions)
  speaker.stop()
  await media.stop()
  process.exit(0)
}

async function measure(
  media: ReturnType<typeof createMedia>,
  sessions: readonly MediaSession[],
): Promise<void> {
  const received = (): number =>
    sessions.reduce((sum, session) => sum + session.stats().packetsReceived, 0)
  media.lateness.clear()
  const from = { cpu: process.cpuUsage(), at: performance.now(), received: received() }
  await Bun.sleep(SECONDS * 1000)
  const { user, system } = process.cpuUsage(from.cpu)
  const seconds = (performance.now() - from.at) / 1000
  const late = media.lateness.figures()
  const cores = (user + system) / 1e6 / seconds
  const perLeg = (100 * cores) / LEGS
  const receivedPerSecond = (received() - from.received) / seconds
  if (process.env.BENCH_JSON !== undefined) {
    const { p50, p99, max, packets } = late
    const found: MediaFound = {
      legs: LEGS,
      lateMs: { p50, p99, max },
      corePercentPerLeg: perLeg,
      packetsPerSecond: { sent: packets / seconds, received: receivedPerSecond },
    }
    console.log(JSON.stringify(found))
    return
  }
  console.log(`${LEGS} legs of ${CODEC}${KEYS ? ' with SRTP' : ''}, ${seconds.toFixed(0)} s`)
  const kernel = ((100 * system) / (user + system)).toFixed(0)
  console.log(
    `  CPU ${(100 * cores).toFixed(1)} % of a core (${kernel} % of it in the kernel), ` +
      `${perLeg.toFixed(3)} % a leg`,
  )
  console.log(
    `  sent ${(late.packets / seconds).toFixed(0)} a second, late by p50 ${late.p50.toFixed(1)} ms, ` +
      `p99 ${late.p99.toFixed(1)} ms, at most ${late.max.toFixed(1)} ms`,
  )
  console.log(`  received ${receivedPerSecond.toFixed(0)} a second`)
  console.log(`  load of the machine ${loadavg()[0]?.toFixed(1)}`)
}

function agree(session: MediaSession, port: number): void {
  session.agree({
    remote: { host: '127.0.0.1', port },
    signallingHost: '127.0.0.1',
    codec: CODEC,
    payloadType: FORMATS[CODEC].offeredPayloadType,
    telephoneEventPayloadType: 101,
    telephoneEventClockHz: 8000,
    listenForTones: false,
    direction: 'sendrecv',
    ptimeMs: 20,
    srtp: KEYS,
    rtcp: { port: port + 1 },
  })
}

/** A voice-like sound; the same memory for all. */
function soundFor(seconds: number): Int16Array<SharedArrayBuffer> {
  const { rateHz } = FORMATS[CODEC]
  const clip = sharedSamples(seconds * rateHz)
  for (let n = 0; n < clip.length; n++) clip[n] = 4000 * Math.sin(n / 7) * Math.sin(n / 900)
  return clip
}

if (import.meta.main) void main()
