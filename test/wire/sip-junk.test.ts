import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readWire } from '../../src/telephony/sip/wire-message.ts'
import { ANSWER_SDP, type Received, ScriptedUas } from '../kit/scripted-uas.ts'
import { type SipSide, startSipSide, trunkOptions } from '../kit/sip-side.ts'

let uas: ScriptedUas
let side: SipSide
let us: { host: string; port: number }
const broken: unknown[] = []
const note = (error: unknown): void => {
  broken.push(error)
}

beforeEach(async () => {
  broken.length = 0
  process.on('uncaughtException', note)
  process.on('unhandledRejection', note)
  uas = await ScriptedUas.open()
  // The point is the parsers, not the rate: everything is let through.
  side = await startSipSide([trunkOptions(uas.port)], { rate: { perSecond: 1e6, burst: 1e6 } })
  us = { host: '127.0.0.1', port: side.telephony.localPort() }
})

afterEach(async () => {
  await side.telephony.stop()
  uas.close()
  process.off('uncaughtException', note)
  process.off('unhandledRejection', note)
  expect(broken).toEqual([])
})

function request(
  method: string,
  o: { id?: string; uri?: string; extra?: string[]; cseq?: string } = {},
): string {
  const id = o.id ?? `${method}${Math.random()}`
  return [
    `${method} ${o.uri ?? `sip:landline@127.0.0.1:${us.port}`} SIP/2.0`,
    `Via: SIP/2.0/UDP 127.0.0.1:${uas.port};branch=z9hG4bK${id};rport`,
    'From: <sip:x@127.0.0.1>;tag=1',
    `To: <sip:landline@127.0.0.1>`,
    `Call-ID: ${id}`,
    `CSeq: ${o.cseq ?? `1 ${method}`}`,
    'Max-Forwards: 70',
    `Contact: <sip:x@127.0.0.1:${uas.port}>`,
    ...(o.extra ?? []),
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n')
}

/** Sends one request and returns what came back. */
async function ask(text: string): Promise<Received> {
  const before = uas.received.length
  const callId = readWire(text)?.callId
  const answer = (): Received | undefined =>
    uas.received.slice(before).find(({ message }) => message.callId === callId)
  uas.send(text, us)
  await expect.poll(answer, { timeout: 1_000 }).toBeDefined()
  return answer() as Received
}

async function stillAnswers(): Promise<void> {
  const reply = await ask(request('OPTIONS'))
  expect(reply.message.status).toBe(200)
}

describe('datagrams of junk', () => {
  it('with the 27 bytes that break the parser leave it answering', async () => {
    uas.send('SIP/2.0 200 OK\r\nCSeq: x\r\n\r\n', us)
    await stillAnswers()
  })

  it.each([
    '',
    '\r\n\r\n',
    '\0\0\0\0',
    'SIP/2.0 200 OK\r\n\r\n',
    'SIP/2.0 4294967301 better not\r\n\r\n',
    'INVITE\r\n\r\n',
    'A'.repeat(8_000),
    `INVITE sip:a SIP/2.0\r\n${': \r\n'.repeat(300)}\r\n`,
    `OPTIONS sip:a SIP/2.0\r\n${'X: y\r\n'.repeat(1_000)}\r\n`,
  ])('of kind %# leave it answering', async (junk) => {
    uas.send(junk, us)
    await stillAnswers()
  })

  it('that are too long are not read', async () => {
    uas.send(request('OPTIONS', { extra: [`X: ${'y'.repeat(9_000)}`] }), us)
    await stillAnswers()
    expect(side.telephony.stats().oversized).toBe(1)
    expect(uas.all('SIP 200').length).toBe(1)
  })

  it('mutated from good messages by the thousand leave it calling', async () => {
    let ok = ''
    let invite: Received | undefined
    uas.onMessage = (received) => {
      if (received.message.method !== 'INVITE' || received.message.kind !== 'request') return
      invite = received
      ok = uas.reply(received, 200, { body: ANSWER_SDP() })
    }
    const dialed = await side.dial().dialed
    if (!('answered' in dialed) || !invite) throw new Error(JSON.stringify(dialed))
    uas.onMessage = () => {}
    const inside = (method: string): string =>
      request(method)
        .replace(/^From:.*$/m, `From: <sip:x@127.0.0.1>;tag=uas`)
        .replace(/^To:.*$/m, `To: <sip:y@127.0.0.1>;tag=${invite?.message.fromTag}`)
        .replace(/^Call-ID:.*$/m, `Call-ID: ${invite?.message.callId}`)
    const methods = ['INVITE', 'OPTIONS', 'NOTIFY', 'REFER', 'CANCEL', 'ACK', 'INFO', 'PRACK']
    const seeds = [ok, ...methods.map((method) => request(method)), ...methods.map(inside)]
    let seed = 42
    const random = (n: number): number => {
      seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff
      return seed % n
    }
    for (let i = 0; i < 5_000; i++) {
      const bytes = Buffer.from(seeds[i % seeds.length] ?? '', 'latin1')
      for (let j = 0; j <= random(6); j++) bytes[random(bytes.length)] = random(256)
      const whole = random(5) > 0
      uas.send(whole ? bytes : bytes.subarray(0, random(bytes.length)), us)
      if (i % 50 === 0) await Bun.sleep(1)
    }
    await Bun.sleep(100)
    expect(side.telephony.stats().received).toBeGreaterThan(3_000)
    uas.received.splice(0)
    await stillAnswers()
    uas.onMessage = (received) => {
      if (received.message.method === 'INVITE') uas.reply(received, 486)
    }
    expect(await side.dial().dialed).toMatchObject({ failed: 'busy' })
    uas.onMessage = (received) => {
      if (received.message.method === 'BYE') uas.reply(received, 200)
    }
    await dialed.answered.hangup()
  })
})

describe('what is asked of us outside a call', () => {
  it.each([
    ['INVITE', 403],
    ['REGISTER', 405],
    ['REFER', 405],
    ['SUBSCRIBE', 405],
    ['MESSAGE', 405],
    ['BYE', 481],
    ['CANCEL', 481],
    ['FROBNICATE', 501],
  ])('%s is answered %i', async (method, status) => {
    const reply = await ask(request(method))
    expect(reply.message.status).toBe(status)
    expect(reply.message.toTag).toBeDefined()
  })

  it('gets the same answer when it comes again', async () => {
    const first = await ask(request('INVITE', { id: 'same' }))
    const second = await ask(request('INVITE', { id: 'same' }))
    expect(second.text).toBe(first.text)
  })

  it.each([
    ['another version', (t: string) => t.replace('SIP/2.0\r\n', 'SIP/7.0\r\n'), 505],
    ['a CSeq of another method', (t: string) => t.replace('1 OPTIONS', '1 INVITE'), 400],
    [
      'a CSeq that is too large',
      (t: string) => t.replace('1 OPTIONS', '36893488147419103232 OPTIONS'),
      400,
    ],
    ['two Call-IDs', (t: string) => t.replace('\r\nCSeq', '\r\nCall-ID: b\r\nCSeq'), 400],
    ['two lengths', (t: string) => t.replace('\r\nCSeq', '\r\nl: 5\r\nCSeq'), 400],
    ['a length beyond its end', (t: string) => t.replace('Length: 0', 'Length: 9999'), 400],
    ['a negative length', (t: string) => t.replace('Length: 0', 'Length: -1'), 400],
    ['an unknown scheme', (t: string) => t.replace(/ sip:\S+/, ' nobodyKnowsThisScheme:x'), 416],
    [
      'an unknown extension',
      (t: string) => t.replace('\r\nCSeq', '\r\nRequire: nothing\r\nCSeq'),
      420,
    ],
    ['no From', (t: string) => t.replace(/From:.*\r\n/, ''), 400],
  ])('with %s is refused', async (_what, change, status) => {
    uas.send(change(request('OPTIONS')), us)
    await uas.wait(`SIP ${status}`)
    await stillAnswers()
    expect(uas.received.length).toBe(2)
  })

  it('is read once when a datagram holds two messages', async () => {
    uas.send(request('REGISTER') + request('INVITE'), us)
    await stillAnswers()
    expect(uas.received.map(({ message }) => message.status)).toEqual([405, 200])
  })
})

describe('strangers', () => {
  it('are not heard, whatever they ask', async () => {
    const stranger = await Bun.udpSocket({ hostname: '127.0.0.2', port: 0, socket: { error() {} } })
    for (const method of ['OPTIONS', 'INVITE', 'REGISTER'])
      stranger.send(request(method), us.port, us.host)
    await stillAnswers()
    expect(side.telephony.stats().foreign).toBe(3)
    expect(uas.received.length).toBe(1)
    stranger.close()
  })

  it('are heard when their range is configured', async () => {
    const open = await startSipSide([trunkOptions(uas.port, { allowedSources: ['127.0.0.0/30'] })])
    const port = open.telephony.localPort()
    let answered = 0
    const friend = await Bun.udpSocket({
      hostname: '127.0.0.2',
      port: 0,
      socket: { data: () => void answered++, error() {} },
    })
    friend.send(request('OPTIONS'), port, '127.0.0.1')
    await expect.poll(() => answered).toBe(1)
    friend.close()
    await open.telephony.stop()
  })

  it('cannot guess a response into a call', async () => {
    let dialled: Received | undefined
    uas.onMessage = (received) => {
      dialled ??= received
    }
    const call = side.dial({ ringTimeoutMs: 600 })
    await expect.poll(() => dialled).toBeDefined()
    const invite = dialled as Received
    const branch = invite.message.via?.branch ?? ''
    const forged = uas
      .reply({ ...invite, from: { host: '127.0.0.1', port: 9 } }, 200, { body: ANSWER_SDP() })
      .replace(
        branch,
        branch.replace(/.$/, (last) => (last === '0' ? '1' : '0')),
      )
    uas.send(forged, us)
    expect(await call.dialed).toMatchObject({ failed: 'trunk_error' })
  })

  it('that flood are read at a bounded rate', async () => {
    const bounded = await startSipSide([trunkOptions(uas.port)], {
      rate: { perSecond: 20, burst: 10 },
    })
    const to = { host: '127.0.0.1', port: bounded.telephony.localPort() }
    for (let i = 0; i < 200; i++) uas.send(request('OPTIONS'), to)
    await Bun.sleep(200)
    expect(uas.all('SIP 200').length).toBeLessThan(20)
    expect(bounded.telephony.stats().overRate).toBeGreaterThan(100)
    await bounded.telephony.stop()
  })
})
