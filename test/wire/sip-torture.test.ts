import { connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import { createIds } from '../../src/core/ids.ts'
import { silentLog } from '../../src/core/log.ts'
import { createMedia } from '../../src/telephony/media/worker-media.ts'
import { quantile } from '../kit/rtp-peer.ts'
import { ANSWER_SDP, type Received, ScriptedUas } from '../kit/scripted-uas.ts'
import { randomSource } from '../kit/seeded.ts'
import { type SipSide, startSipSide, trunkOptions } from '../kit/sip-side.ts'
import { tortureMessages } from '../kit/torture.ts'
import { until } from '../kit/until.ts'

const ends: (() => unknown)[] = []
const broken: unknown[] = []
const note = (error: unknown): void => {
  broken.push(error)
}
/** The point is the parsers, not the rate: everything is let through. */
const rate = { perSecond: 1e6, burst: 1e6 }

beforeEach(() => {
  broken.length = 0
  process.on('uncaughtException', note)
  process.on('unhandledRejection', note)
})

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
  process.off('uncaughtException', note)
  process.off('unhandledRejection', note)
  expect(broken).toEqual([])
})

interface Setup {
  uas: ScriptedUas
  side: SipSide
  us: { host: string; port: number }
  rang: () => number
}

async function setup(o: Parameters<typeof startSipSide>[1] = {}): Promise<Setup> {
  const uas = await ScriptedUas.open()
  ends.push(() => uas.close())
  const side = await startSipSide([trunkOptions(uas.port)], { rate, ...o })
  ends.push(() => side.telephony.stop())
  return {
    uas,
    side,
    us: { host: '127.0.0.1', port: side.telephony.localPort() },
    rang: () => uas.all('SIP 180').length,
  }
}

const OPTIONS = (protocol: string, id: string): string =>
  [
    'OPTIONS sip:x@127.0.0.1 SIP/2.0',
    `Via: SIP/2.0/${protocol} 127.0.0.1:5999;branch=z9hG4bK${id};rport`,
    'From: <sip:x@127.0.0.1>;tag=1',
    'To: <sip:x@127.0.0.1>',
    `Call-ID: ${id}`,
    'CSeq: 1 OPTIONS',
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n')

/** Sends one message and then a good one; what came back before the answer to that. */
async function askByDatagram({ uas, us }: Setup, text: string): Promise<number> {
  uas.received.length = 0
  const id = `after-${Math.random()}`
  uas.send(Buffer.from(text, 'latin1'), us)
  uas.send(OPTIONS('UDP', id), us)
  await until(() => uas.received.some(({ message }) => message.callId === id))
  return uas.received.find(({ message }) => message.callId !== id)?.message.status ?? 0
}

async function askByStream({ us }: Setup, text: string, localAddress?: string): Promise<string> {
  const local = localAddress ? { localAddress } : {}
  const socket = connect({ host: us.host, port: us.port, ...local })
  let came = ''
  let closed = false
  socket.on('data', (bytes: Buffer) => {
    came += bytes.toString('latin1')
  })
  socket.on('error', () => {})
  socket.on('close', () => {
    closed = true
  })
  const id = `after-${Math.random()}`
  socket.write(Buffer.from(text, 'latin1'))
  socket.write(OPTIONS('TCP', id))
  await until(() => closed || came.includes(id))
  socket.destroy()
  return came.split(`Call-ID: ${id}`)[0] ?? ''
}

describe('messages that are hard to read, over UDP', () => {
  const messages = tortureMessages('UDP')

  it.each(messages)('$name', async ({ text, answer }) => {
    const all = await setup()
    const status = await askByDatagram(all, text)
    expect(answer).toContain(status)
    expect(all.rang()).toBe(0)
  })

  it('name in their answer what the request asked, and nothing twice', async () => {
    const all = await setup()
    const bad = messages.find(({ name }) => name.includes('3.3.5'))
    await askByDatagram(all, bad?.text ?? '')
    const [reply] = all.uas.all('SIP 420')
    expect(reply?.text).toContain('Unsupported: nothingSupportsThis, nothingSupportsThisEither\r\n')
  })
})

describe('messages that are hard to read, over TCP', () => {
  it.each(tortureMessages('TCP'))('$name', async ({ text, answer }) => {
    const all = await setup()
    const came = await askByStream(all, text)
    const statuses = [...came.matchAll(/^SIP\/2\.0 (\d+)/gm)].map((match) => Number(match[1]))
    // The last status is of the good message after it, unless the connection had to be closed.
    expect(answer).toContain(
      statuses[0] === 200 && statuses.length === 1 ? matched(came) : (statuses[0] ?? 0),
    )
  })
})

/** The status of the answer to a torture message; 0 when the only answer is to the good one. */
function matched(came: string): number {
  return /^Call-ID: (?!after-)/m.test(came) ? 200 : 0
}

describe('while a call is on', () => {
  async function talking(o: Parameters<typeof startSipSide>[1] = {}) {
    const media = createMedia({
      clock: systemClock,
      log: silentLog,
      ids: createIds(systemClock, (n) => crypto.getRandomValues(new Uint8Array(n))),
      bindHost: '127.0.0.1',
      portRange: [0, 0],
      silenceTimeoutMs: 60_000,
    })
    ends.push(() => media.stop())
    const all = await setup({ media, ...o })
    const listener = new Worker(new URL('../kit/rtp-listener-worker.ts', import.meta.url).href)
    ends.push(() => listener.terminate())
    const told: (number | number[])[] = []
    listener.onmessage = (event: MessageEvent<number | number[]>) => told.push(event.data)
    await until(() => told.length === 1)
    const { uas, side } = all
    let invite: Received | undefined
    uas.onMessage = (received) => {
      const { method, kind } = received.message
      if (kind !== 'request' || method === 'ACK') return
      invite ??= received
      if (method === 'INVITE') uas.reply(received, 200, { body: ANSWER_SDP(told[0] as number) })
      else uas.reply(received, 200)
    }
    const dialed = await side.dial().dialed
    if (!('answered' in dialed) || !invite) throw new Error(JSON.stringify(dialed))
    await Bun.sleep(100)
    listener.postMessage('begin')
    const gaps = async (): Promise<number[]> => {
      listener.postMessage('report')
      await until(() => told.length === 2)
      return told[1] as number[]
    }
    return { all, leg: dialed.answered, invite, gaps }
  }

  // A neighbour on the machine can hold up any thread: a gap that is ours comes every time.
  const patient = { retry: 2 }
  it(
    'they make no gap over 60 ms in its sound, and nothing rings, from whomever they come',
    patient,
    async () => {
      let calls = 0
      const { all, leg, gaps } = await talking({ onCall: () => calls++ })
      const { us, side } = all
      const stranger = await ScriptedUas.open(0, '127.0.0.2')
      ends.push(() => stranger.close())
      for (let round = 0; round < 5; round++)
        for (const { text } of tortureMessages('UDP')) {
          stranger.send(Buffer.from(text, 'latin1'), us)
          if (!text.startsWith('INVITE')) all.uas.send(Buffer.from(text, 'latin1'), us)
          await Bun.sleep(1)
        }
      for (const { text } of tortureMessages('TCP')) {
        expect(await askByStream(all, text, '127.0.0.2')).toBe('')
        if (!text.startsWith('INVITE')) await askByStream(all, text)
      }
      const measured = await gaps()
      expect(measured.length).toBeGreaterThan(20)
      expect(Math.max(...measured)).toBeLessThan(60)
      expect(calls).toBe(0)
      expect(stranger.received).toEqual([])
      expect(side.telephony.stats().foreign).toBeGreaterThan(200)
      await leg.hangup()
    },
  )

  it('20,000 mutated messages with a fixed seed let no exception out, and it still answers', async () => {
    const { all, leg, invite, gaps } = await talking()
    const { uas, us, side } = all
    const ours = (text: string): string =>
      text
        .replace(/^From:.*$/m, 'From: <sip:x@127.0.0.1>;tag=uas')
        .replace(/^To:.*$/m, `To: <sip:y@127.0.0.1>;tag=${invite.message.fromTag}`)
        .replace(/^Call-ID:.*$/m, `Call-ID: ${invite.message.callId}`)
    const methods = [
      'INVITE',
      'OPTIONS',
      'NOTIFY',
      'REFER',
      'CANCEL',
      'ACK',
      'INFO',
      'PRACK',
      'UPDATE',
    ]
    const plain = methods.map((method) => OPTIONS('UDP', 'seed').replaceAll('OPTIONS', method))
    const seeds = [...plain, ...plain.map(ours), ...tortureMessages('UDP').map(({ text }) => text)]
    const random = randomSource(4475)
    const pick = (n: number): number => Math.floor(random() * n)
    for (let n = 0; n < 20_000; n++) {
      const bytes = Buffer.from(seeds[n % seeds.length] ?? '', 'latin1')
      for (let m = pick(7); m >= 0; m--) bytes[pick(bytes.length)] = pick(256)
      uas.send(pick(5) > 0 ? bytes : bytes.subarray(0, pick(bytes.length)), us)
      if (n % 50 === 0) await Bun.sleep(1)
    }
    await Bun.sleep(200)
    expect(side.telephony.stats().received).toBeGreaterThan(15_000)
    // The flood is as fast as this process can make it: what is left of the processor is not ours to promise.
    expect(quantile(await gaps(), 0.95)).toBeLessThan(60)
    expect(await askByDatagram(all, OPTIONS('UDP', 'still'))).toBe(200)
    await leg.hangup()
    uas.onMessage = (received) => {
      if (received.message.method === 'INVITE') uas.reply(received, 486)
    }
    expect(await side.dial().dialed).toMatchObject({ failed: 'busy' })
  })
})

describe('a request of ours that comes back', () => {
  it('is a loop: 482 (RFC 3261 §16.3)', async () => {
    const { uas, side, us } = await setup()
    let back: string | null = null
    uas.onMessage = (received) => {
      if (received.message.method !== 'INVITE' || back !== null) return
      back = received.text.replace(
        /^Via: /m,
        `Via: SIP/2.0/UDP 127.0.0.1:${uas.port};branch=z9hG4bKloop;rport\r\nVia: `,
      )
      uas.send(back, us)
    }
    const call = side.dial()
    const loop = await uas.wait('SIP 482')
    expect(loop.message.callId).toBe(uas.all('INVITE')[0]?.message.callId)
    uas.reply(uas.all('INVITE')[0] as Received, 482)
    expect(await call.dialed).toMatchObject({ sipCode: 482 })
  })
})
