import { connect, type Socket } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { SipState } from '../../src/calls/ports.ts'
import { headerOf } from '../../src/telephony/sip/wire-message.ts'
import type { TrunkOptions } from '../../src/telephony/trunk-options.ts'
import { type Authority, createAuthority } from '../kit/certificates.ts'
import { ANSWER_SDP, type Received, ScriptedUas } from '../kit/scripted-uas.ts'
import { SimClock } from '../kit/sim-clock.ts'
import { type SipSide, startSipSide, trunkOptions } from '../kit/sip-side.ts'

const ends: (() => unknown)[] = []

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function start(
  trunks: readonly TrunkOptions[],
  o: Parameters<typeof startSipSide>[1] = {},
): Promise<SipSide> {
  const side = await startSipSide(trunks, o)
  ends.push(() => side.telephony.stop())
  return side
}

async function openUas(o: Parameters<typeof ScriptedUas.openStream>[0] = {}): Promise<ScriptedUas> {
  const uas = await ScriptedUas.openStream(o)
  ends.push(() => uas.close())
  return uas
}

/** Answers every call, and everything else. */
function answering(uas: ScriptedUas): void {
  uas.onMessage = (received) => {
    const { method, kind } = received.message
    if (kind !== 'request' || method === 'ACK') return
    if (method === 'INVITE') uas.reply(received, 200, { body: ANSWER_SDP() })
    else uas.reply(received, 200)
  }
}

const contactOf = (received: Received | undefined): string =>
  headerOf(received?.message as never, 'contact') ?? ''

async function stateOf(side: SipSide): Promise<string | undefined> {
  const [probe] = await side.telephony.trunk.probes()
  return probe?.state === 'ready' ? 'ready' : probe?.reason
}

describe('a trunk over TCP', () => {
  it('carries two calls over one connection, and names the port that we listen on', async () => {
    const uas = await openUas()
    answering(uas)
    const side = await start([trunkOptions(uas.port, { transport: 'tcp' })])
    for (const n of [1, 2]) {
      const dialed = await side.dial().dialed
      if (!('answered' in dialed)) throw new Error(JSON.stringify(dialed))
      const invite = await uas.wait('INVITE', { n })
      expect(headerOf(invite.message, 'via')).toMatch(/^SIP\/2\.0\/TCP 127\.0\.0\.1:\d+;branch=/)
      const port = side.telephony.localPort()
      expect(contactOf(invite)).toBe(`<sip:15550001111@127.0.0.1:${port};transport=tcp>`)
      expect((await uas.wait('ACK', { n })).from).toEqual(invite.from)
      await dialed.answered.hangup()
    }
    expect(uas.connections).toBe(1)
    expect(side.telephony.stats()).toMatchObject({ connections: 1, connected: 1 })
  })

  it('answers over the connection that a request came on, whatever its Via says', async () => {
    const uas = await openUas()
    answering(uas)
    const side = await start([trunkOptions(uas.port, { transport: 'tcp' })])
    const dialed = await side.dial().dialed
    if (!('answered' in dialed)) throw new Error(JSON.stringify(dialed))
    const invite = await uas.wait('INVITE')
    uas.request('OPTIONS', invite, { cseq: 7 })
    const ok = await uas.wait('SIP 200')
    expect(ok.from).toEqual(invite.from)
    expect(ok.text).not.toContain('landline-way')
    uas.request('BYE', invite, { cseq: 8 })
    expect(await dialed.answered.ended).toEqual({ by: 'human' })
  })

  it('is told by a peer that opens a connection of its own', async () => {
    const uas = await openUas()
    answering(uas)
    const side = await start([trunkOptions(uas.port, { transport: 'tcp' })])
    const dialed = await side.dial().dialed
    if (!('answered' in dialed)) throw new Error(JSON.stringify(dialed))
    const invite = await uas.wait('INVITE')
    const caller = await connectTo(side)
    caller.write(inside('BYE', invite))
    expect(await caller.until(/^SIP\/2\.0 200/m)).toContain('SIP/2.0 200')
    expect(await dialed.answered.ended).toEqual({ by: 'human' })
  })

  it('sends nothing again: a stream loses nothing', async () => {
    const uas = await openUas()
    const side = await start([trunkOptions(uas.port, { transport: 'tcp' })])
    const call = side.dial({ ringTimeoutMs: 1_800 })
    expect(await call.dialed).toMatchObject({ failed: 'trunk_error', sipCode: null })
    expect(uas.all('INVITE').length).toBe(1)
  })

  it('that refuses the connection is a trunk error at once, and the next trunk is called', async () => {
    const gone = await ScriptedUas.openStream()
    gone.close()
    const side = await start([trunkOptions(gone.port, { transport: 'tcp' })])
    const began = performance.now()
    expect(await side.dial().dialed).toEqual({
      failed: 'trunk_error',
      sipCode: null,
      reason: `connecting to 127.0.0.1:${gone.port} over tcp: nothing listens there`,
    })
    expect(performance.now() - began).toBeLessThan(1_000)
  })

  it('whose connection breaks before it said anything is a trunk error', async () => {
    const uas = await openUas()
    const side = await start([trunkOptions(uas.port, { transport: 'tcp' })])
    const call = side.dial()
    await uas.wait('INVITE')
    uas.disconnect()
    const dialed = await call.dialed
    expect(dialed).toMatchObject({ failed: 'trunk_error', sipCode: null })
    expect('reason' in dialed && dialed.reason).toContain('was lost')
  })

  it('whose connection breaks in a call is connected to again, and the call is hung up over that', async () => {
    const uas = await openUas()
    answering(uas)
    const side = await start([trunkOptions(uas.port, { transport: 'tcp' })])
    const dialed = await side.dial().dialed
    if (!('answered' in dialed)) throw new Error(JSON.stringify(dialed))
    await uas.wait('ACK')
    uas.disconnect()
    await expect.poll(() => uas.connections, { timeout: 4_000 }).toBe(1)
    await dialed.answered.hangup()
    expect((await uas.wait('BYE')).message.callId).toBe(uas.all('INVITE')[0]?.message.callId)
  })

  it('registers over its connection, and again when that was lost', async () => {
    const uas = await openUas()
    uas.onMessage = (received) =>
      uas.reply(received, 200, { headers: [`Contact: ${contactOf(received)}`] })
    const side = await start([
      trunkOptions(uas.port, {
        transport: 'tcp',
        register: true,
        username: 'alice',
        password: 's3cret',
      }),
    ])
    await expect.poll(() => stateOf(side)).toBe('ready')
    const first = await uas.wait('REGISTER')
    // No open port is needed: the binding is the connection's own address.
    expect(contactOf(first)).toContain(`@127.0.0.1:${first.from.port};transport=tcp>`)
    uas.disconnect()
    await expect.poll(() => stateOf(side)).toContain('was lost')
    const second = await uas.wait('REGISTER', { n: 2 })
    expect(second.from.port).not.toBe(first.from.port)
    const [now, former] = second.message.headers
      .filter(({ name }) => name === 'contact')
      .map(({ value }) => value)
    expect(now).toContain(`:${second.from.port};transport=tcp>;expires=600`)
    expect(former).toContain(`:${first.from.port};transport=tcp>;expires=0`)
    await expect.poll(() => stateOf(side)).toBe('ready')
  })

  it('takes a call over the connection that it registered over, and needs none to come in (langwatch/langwatch#8016)', async () => {
    const uas = await openUas()
    uas.onMessage = (received) => {
      if (received.message.kind === 'request')
        uas.reply(received, 200, { headers: [`Contact: ${contactOf(received)}`] })
    }
    const side = await start(
      [
        trunkOptions(uas.port, {
          transport: 'tcp',
          register: true,
          username: 'alice',
          password: 's3cret',
        }),
      ],
      { onCall: (call) => call.reject(486) },
    )
    await expect.poll(() => stateOf(side)).toBe('ready')
    const { from } = await uas.wait('REGISTER')
    uas.send(outside('INVITE', { body: ANSWER_SDP() }), from)
    const busy = await uas.wait('SIP 486')
    expect(busy.from).toEqual(from)
    await expect.poll(() => stateOf(side)).toBe('ready')
  })
})

describe('a call over TCP that an earlier process left', () => {
  it('is hung up over a connection of its own', async () => {
    const uas = await openUas()
    answering(uas)
    const trunk = trunkOptions(uas.port, { transport: 'tcp' })
    const dialed = await (await start([trunk])).dial().dialed
    if (!('answered' in dialed)) throw new Error(JSON.stringify(dialed))
    const stored = JSON.parse(JSON.stringify(dialed.state)) as SipState
    const later = await start([trunk])
    await later.telephony.trunk.recover(stored)
    const invite = await uas.wait('INVITE')
    const bye = await uas.wait('BYE')
    expect(bye.message.callId).toBe(invite.message.callId)
    expect(bye.from.port).not.toBe(invite.from.port)
    expect(headerOf(bye.message, 'via')).toMatch(/^SIP\/2\.0\/TCP /)
  })
})

describe('a trunk over TLS', () => {
  let authority: Authority
  let good: { key: string; cert: string }

  beforeAll(() => {
    authority = createAuthority()
    good = authority.issue('DNS:trunk.test')
  })
  afterAll(() => authority.remove())

  const lookup = async () => [{ address: '127.0.0.1', family: 4 }]
  const trunk = (uas: ScriptedUas, o: Partial<TrunkOptions> = {}): TrunkOptions =>
    trunkOptions(uas.port, {
      host: 'trunk.test',
      transport: 'tls',
      caFile: authority.caFile,
      ...o,
    })

  it('carries a call when its certificate names it and its authority is ours', async () => {
    const uas = await openUas({ tls: good })
    answering(uas)
    const side = await start([trunk(uas)], { lookup })
    const dialed = await side.dial().dialed
    if (!('answered' in dialed)) throw new Error(JSON.stringify(dialed))
    const invite = await uas.wait('INVITE')
    expect(headerOf(invite.message, 'via')).toMatch(/^SIP\/2\.0\/TLS /)
    // Nobody can connect to us by TLS: the address of our own connection is the one that leads back.
    expect(contactOf(invite)).toContain(`:${invite.from.port};transport=tls>`)
    expect(uas.serverNames).toEqual(['trunk.test'])
    await dialed.answered.hangup()
    expect(uas.connections).toBe(1)
  })

  it('is refused when the authority is not known', async () => {
    const uas = await openUas({ tls: good })
    const side = await start([trunk(uas, { caFile: null })], { lookup })
    const dialed = await side.dial().dialed
    expect(dialed).toMatchObject({ failed: 'trunk_error', sipCode: null })
    expect('reason' in dialed && dialed.reason).toMatch(/certificate is not trusted .*ca_file/)
    expect(uas.received).toEqual([])
  })

  it('is refused when the certificate is for another name', async () => {
    const uas = await openUas({ tls: authority.issue('DNS:elsewhere.test') })
    const side = await start([trunk(uas)], { lookup })
    const dialed = await side.dial().dialed
    expect('reason' in dialed && dialed.reason).toContain('certificate is for another name')
    expect(uas.received).toEqual([])
  })

  it.each([
    ['names it as a SIP domain', 'URI:sip:trunk.test'],
    ['names its address', 'IP:127.0.0.1', '127.0.0.1'],
  ])('carries a call when the certificate %s', async (_what, names, host = 'trunk.test') => {
    const uas = await openUas({ tls: authority.issue(names) })
    answering(uas)
    const side = await start([trunk(uas, { host })], { lookup })
    const dialed = await side.dial().dialed
    if (!('answered' in dialed)) throw new Error(JSON.stringify(dialed))
    await dialed.answered.hangup()
  })

  it('takes any certificate with verify = false', async () => {
    const uas = await openUas({ tls: authority.issue('DNS:elsewhere.test') })
    answering(uas)
    const side = await start([trunk(uas, { verify: false, caFile: null })], { lookup })
    const dialed = await side.dial().dialed
    if (!('answered' in dialed)) throw new Error(JSON.stringify(dialed))
    await dialed.answered.hangup()
  })

  it('never falls back to something open', async () => {
    const open = await openUas()
    answering(open)
    const side = await start([trunk(open)], { lookup })
    expect(await side.dial().dialed).toMatchObject({ failed: 'trunk_error', sipCode: null })
    expect(open.received).toEqual([])
  })
})

describe('an INVITE larger than 1300 bytes to a trunk over UDP', () => {
  const large = { username: 'u'.repeat(700), password: 'x' }

  it('goes over TCP where the trunk has it, and the whole call with it', async () => {
    const tcp = await openUas()
    answering(tcp)
    const udp = await ScriptedUas.open(tcp.port)
    ends.push(() => udp.close())
    const side = await start([trunkOptions(tcp.port, large)])
    const dialed = await side.dial().dialed
    if (!('answered' in dialed)) throw new Error(JSON.stringify(dialed))
    expect(headerOf((await tcp.wait('INVITE')).message, 'via')).toMatch(/^SIP\/2\.0\/TCP /)
    await dialed.answered.hangup()
    expect(tcp.all('BYE').length).toBe(1)
    expect(udp.received).toEqual([])
  })

  it('goes over UDP where nothing listens for TCP', async () => {
    const udp = await ScriptedUas.open()
    ends.push(() => udp.close())
    answering(udp)
    const side = await start([trunkOptions(udp.port, large)])
    const dialed = await side.dial().dialed
    if (!('answered' in dialed)) throw new Error(JSON.stringify(dialed))
    expect((await udp.wait('INVITE')).text.length).toBeGreaterThan(1_300)
    await dialed.answered.hangup()
  })
})

interface Client {
  socket: Socket
  write(text: string): void
  until(pattern: RegExp, withinMs?: number): Promise<string>
  closed: Promise<void>
}

async function connectTo(side: SipSide, localAddress = '127.0.0.1'): Promise<Client> {
  const port = side.telephony.localPort()
  const socket = connect({ host: '127.0.0.1', port, localAddress })
  ends.push(() => socket.destroy())
  let text = ''
  socket.on('data', (bytes: Buffer) => {
    text += bytes.toString('latin1')
  })
  socket.on('error', () => {})
  const closed = new Promise<void>((done) => socket.on('close', () => done()))
  await new Promise((done) => socket.once('connect', done).once('close', done))
  return {
    socket,
    closed,
    write: (bytes) => void socket.write(Buffer.from(bytes, 'latin1')),
    async until(pattern, withinMs = 2_000) {
      await expect.poll(() => text, { timeout: withinMs, interval: 5 }).toMatch(pattern)
      return text
    },
  }
}

let branches = 0

function outside(method: string, o: { body?: string; extra?: string[] } = {}): string {
  const body = o.body ?? ''
  const n = ++branches
  return [
    `${method} sip:15550001111@127.0.0.1 SIP/2.0`,
    `Via: SIP/2.0/TCP 127.0.0.1:5999;branch=z9hG4bKstream${n}`,
    'From: <sip:+15551234567@127.0.0.1>;tag=caller',
    'To: <sip:15550001111@127.0.0.1>',
    `Call-ID: stream-${n}`,
    `CSeq: 1 ${method}`,
    'Max-Forwards: 70',
    'Contact: <sip:caller@127.0.0.1:5999;transport=tcp>',
    ...(o.extra ?? []),
    ...(body ? ['Content-Type: application/sdp'] : []),
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n')
}

/** A request of the answering side inside the dialog of `invite`. */
function inside(method: string, { message }: Received): string {
  return outside(method)
    .replace(/^From: .*$/m, `From: ${headerOf(message, 'to')};tag=uas`)
    .replace(/^To: .*$/m, `To: ${headerOf(message, 'from')}`)
    .replace(/^Call-ID: .*$/m, `Call-ID: ${message.callId}`)
}

describe('a connection to our SIP port', () => {
  async function listening(o: Parameters<typeof startSipSide>[1] = {}): Promise<SipSide> {
    const udp = await ScriptedUas.open()
    ends.push(() => udp.close())
    return start([trunkOptions(udp.port)], o)
  }

  it('from a stranger is closed unread', async () => {
    const side = await listening()
    const client = await connectTo(side, '127.0.0.2')
    client.write(outside('OPTIONS'))
    await client.closed
    expect(side.telephony.stats()).toMatchObject({ foreign: 1, received: 0, connections: 0 })
  })

  it('may bring a message byte by byte, and two at once', async () => {
    const side = await listening()
    const client = await connectTo(side)
    for (const char of outside('OPTIONS')) client.write(char)
    await client.until(/SIP\/2\.0 200/)
    client.write(outside('BYE') + outside('REGISTER', { body: 'x'.repeat(5_000) }))
    const text = await client.until(/SIP\/2\.0 405/)
    expect(text.match(/^SIP\/2\.0 \d+/gm)).toEqual(['SIP/2.0 200', 'SIP/2.0 481', 'SIP/2.0 405'])
  })

  it('has its ping answered (RFC 5626 §3.5.1)', async () => {
    const client = await connectTo(await listening())
    client.write('\r\n\r\n')
    expect(await client.until(/\r\n/)).toBe('\r\n')
  })

  it.each([
    ['a negative length', 'Content-Length: -999', 400],
    ['a length that is no number', 'Content-Length: many', 400],
    ['a second length', 'Content-Length: 0\r\nl: 5', 400],
    ['a body beyond 64 KiB', 'Content-Length: 99999', 513],
  ])('with %s gets its answer and is closed', async (_what, header, status) => {
    const side = await listening()
    const client = await connectTo(side)
    client.write(outside('OPTIONS').replace('Content-Length: 0', header))
    await client.until(new RegExp(`^SIP/2\\.0 ${status} `))
    await client.closed
    const stillThere = await connectTo(side)
    stillThere.write(outside('OPTIONS'))
    await stillThere.until(/SIP\/2\.0 200/)
  })

  it('without a length gets 400 (RFC 3261 §20.14)', async () => {
    const client = await connectTo(await listening())
    client.write(outside('OPTIONS').replace('Content-Length: 0\r\n', ''))
    await client.until(/^SIP\/2\.0 400 Missing Content-Length/)
  })

  it('with a header that never ends is closed at 64 KiB', async () => {
    const side = await listening()
    const client = await connectTo(side)
    client.write(`OPTIONS sip:x SIP/2.0\r\nX: ${'y'.repeat(70_000)}`)
    await client.closed
    expect(side.telephony.stats()).toMatchObject({ oversized: 1, connections: 0 })
  })

  it('is one of 64 at most', async () => {
    const side = await listening()
    const clients = await Promise.all(Array.from({ length: 64 }, () => connectTo(side)))
    await expect.poll(() => side.telephony.stats().connections).toBe(64)
    const last = await connectTo(side)
    await last.closed
    clients[0]?.socket.destroy()
    await expect.poll(() => side.telephony.stats().connections).toBe(63)
    const next = await connectTo(side)
    next.write(outside('OPTIONS'))
    await next.until(/SIP\/2\.0 200/)
  })

  it('that floods is read at a bounded rate, and loses nothing', async () => {
    const side = await listening({ rate: { perSecond: 100, burst: 20 } })
    const client = await connectTo(side)
    const began = performance.now()
    client.write(Array.from({ length: 80 }, () => outside('OPTIONS')).join(''))
    const text = await client.until(new RegExp(`^Call-ID: stream-${branches}\r$`, 'm'), 5_000)
    expect(text.match(/^SIP\/2\.0 200/gm)?.length).toBe(80)
    expect(performance.now() - began).toBeGreaterThan(450)
  })

  it.each([
    ['that says nothing is closed after 32 s', '', 31_900, 200],
    ['whose header does not end is closed after 10 s', 'OPTIONS sip:x SIP/2.0\r\nVia:', 9_900, 200],
    [
      'whose body does not come is closed after 10 s',
      outside('OPTIONS', { body: 'abc' }).slice(0, -1),
      9_900,
      200,
    ],
  ])('%s', async (_what, text, still, more) => {
    const clock = new SimClock()
    const side = await listening({ clock })
    const client = await connectTo(side)
    if (text) client.write(text)
    await expect.poll(() => side.telephony.stats().connections).toBe(1)
    await Bun.sleep(30)
    await clock.advance(still)
    expect(side.telephony.stats().connections).toBe(1)
    await clock.advance(more)
    await client.closed
    expect(side.telephony.stats().connections).toBe(0)
  })

  it('of ours is pinged, and given up when a peer that answered pings stops answering', async () => {
    const clock = new SimClock()
    const uas = await openUas()
    answering(uas)
    const side = await start([trunkOptions(uas.port, { transport: 'tcp' })], { clock })
    const dialed = await side.dial().dialed
    if (!('answered' in dialed)) throw new Error(JSON.stringify(dialed))
    const { from } = await uas.wait('INVITE')
    await clock.advance(25_100)
    await expect.poll(() => uas.stray).toBe('\r\n\r\n')
    // It never answered one: nothing is concluded from its silence.
    await clock.advance(12_000)
    expect(side.telephony.stats()).toMatchObject({ connections: 1, disconnected: 0 })
    uas.send('\r\n', from)
    await Bun.sleep(30)
    await clock.advance(25_100)
    await clock.advance(10_100)
    expect(side.telephony.stats().disconnected).toBe(1)
  })

  it('ends when SIP ends', async () => {
    const side = await listening()
    const client = await connectTo(side)
    await side.telephony.stop()
    await client.closed
  })
})
