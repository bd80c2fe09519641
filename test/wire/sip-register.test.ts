import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import type { Probe } from '../../src/core/probe.ts'
import { headerOf } from '../../src/telephony/sip/wire-message.ts'
import { type Received, ScriptedUas } from '../kit/scripted-uas.ts'
import { SimClock } from '../kit/sim-clock.ts'
import { createSipSide, type SipSide, startSipSide, trunkOptions } from '../kit/sip-side.ts'

let registrar: ScriptedUas
let side: SipSide | undefined
/** How far time has been moved on. */
let laterMs: number
const clock = { ...systemClock, steady: () => systemClock.steady() + laterMs }

beforeEach(async () => {
  laterMs = 0
  registrar = await ScriptedUas.open()
})

afterEach(async () => {
  registrar.onMessage = (received) => registrar.reply(received, 200)
  await side?.telephony.stop()
  side = undefined
  registrar.close()
})

async function register(o: Partial<Parameters<typeof trunkOptions>[1]> = {}): Promise<SipSide> {
  side = await startSipSide(
    [trunkOptions(registrar.port, { register: true, username: 'alice', password: 's3cret', ...o })],
    { clock },
  )
  return side
}

const CHALLENGE = ['WWW-Authenticate: Digest realm="scripted", nonce="abc", algorithm=MD5']

function accept(received: Received, expires: number): void {
  const contact = headerOf(received.message, 'contact')?.replace(
    /expires=\d+/,
    `expires=${expires}`,
  )
  registrar.reply(received, 200, { headers: [`Contact: ${contact}`] })
}

async function probe(): Promise<Probe | undefined> {
  return (await side?.telephony.trunk.probes())?.[0]
}

describe('a trunk that registers, with no open port (livekit/sip#524)', () => {
  it('answers the challenge, is ready then, and takes its binding back at the end', async () => {
    registrar.onMessage = (received) => {
      if (headerOf(received.message, 'authorization')) accept(received, 600)
      else registrar.reply(received, 401, { headers: CHALLENGE })
    }
    await register({ domain: 'trunk.test' })
    expect((await probe())?.state).toBe('away')
    await expect.poll(async () => (await probe())?.state).toBe('ready')
    const [first, second] = registrar.all('REGISTER')
    expect(first?.message.requestUri).toBe('sip:trunk.test')
    expect(headerOf(first?.message as never, 'to')).toBe('<sip:alice@trunk.test>')
    expect(headerOf(second?.message as never, 'contact')).toBe(
      `<sip:alice@127.0.0.1:${side?.telephony.localPort()}>;expires=600`,
    )
    expect(second?.message.cseq?.number).toBe(2)
    await side?.telephony.stop()
    const last = registrar.all('REGISTER').at(-1)
    expect(headerOf(last?.message as never, 'expires')).toBe('0')
    expect(last?.message.callId).toBe(first?.message.callId)
  })

  it('registers again before the time is over', async () => {
    registrar.onMessage = (received) => accept(received, 2)
    await register()
    const first = await registrar.wait('REGISTER')
    const second = await registrar.wait('REGISTER', { n: 2 })
    expect(second.at - first.at).toBeGreaterThan(900)
    expect(second.at - first.at).toBeLessThan(1_950)
    expect(second.message.cseq?.number).toBe(2)
  })

  it('asks for longer when the registrar finds the time too short', async () => {
    registrar.onMessage = (received) => {
      if (headerOf(received.message, 'expires') === '900') accept(received, 900)
      else registrar.reply(received, 423, { headers: ['Min-Expires: 900'] })
    }
    await register()
    await expect.poll(async () => (await probe())?.state).toBe('ready')
    expect(registrar.all('REGISTER').length).toBe(2)
  })

  it('with a wrong password asks twice, says so, and does not hammer', async () => {
    let nonce = 0
    registrar.onMessage = (received) =>
      registrar.reply(received, 401, {
        headers: [`WWW-Authenticate: Digest realm="scripted", nonce="n${nonce++}"`],
      })
    await register()
    await expect.poll(async () => (await probe())?.reason).toContain('refused: 401')
    await Bun.sleep(300)
    expect(registrar.all('REGISTER').length).toBe(2)
    expect((await probe())?.state).toBe('away')
  })

  it('tries again after a failure', async () => {
    registrar.onMessage = (received) => {
      if (registrar.all('REGISTER').length === 1) registrar.reply(received, 503)
      else accept(received, 600)
    }
    await register()
    await expect.poll(async () => (await probe())?.reason).toContain('503')
    await expect.poll(async () => (await probe())?.state, { timeout: 4_000 }).toBe('ready')
  })

  it('registers the address that the trunk sees, and offers it in Contact and SDP (livekit/sip#611, arnonym/ha-plugins#95)', async () => {
    registrar.onMessage = (received) => {
      const { message } = received
      for (const header of message.headers)
        if (header.name === 'via')
          header.value = header.value.replace(';rport', ';received=192.0.2.7;rport=7060')
      if (message.method === 'REGISTER') accept(received, 600)
      else if (message.method === 'INVITE') registrar.reply(received, 486)
    }
    await register()
    const second = await registrar.wait('REGISTER', { n: 2 })
    expect(headerOf(second.message, 'contact')).toContain('<sip:alice@192.0.2.7:7060>')
    await side?.dial().dialed
    expect((await registrar.wait('INVITE')).text).toContain('c=IN IP4 192.0.2.7\r\n')
    expect(registrar.all('REGISTER').length).toBe(2)
  })
})

describe('a registrar that asks', () => {
  const sha = (realm: string, nonce: string, more = ''): string =>
    `Digest realm="${realm}", nonce="${nonce}", algorithm=SHA-256, qop="auth"${more}`

  /** Challenges until `headers` answers with nothing more to ask. */
  function asking(headers: (received: Received, n: number) => [number, string[]] | null): void {
    registrar.onMessage = (received) => {
      const n = registrar.all('REGISTER').length
      const challenge = headers(received, n)
      if (challenge) registrar.reply(received, challenge[0], { headers: challenge[1] })
      else accept(received, 600)
    }
  }

  const authorization = (n: number): string =>
    headerOf(registrar.all('REGISTER')[n - 1]?.message as never, 'authorization') ?? ''

  it('in several ways is answered with the strongest', async () => {
    asking((_received, n) =>
      n > 1
        ? null
        : [
            401,
            [
              `WWW-Authenticate: ${sha('scripted', 'strong')}`,
              'WWW-Authenticate: Digest realm="scripted", nonce="weak", algorithm=MD5',
            ],
          ],
    )
    await register()
    await expect.poll(async () => (await probe())?.state).toBe('ready')
    expect(authorization(2)).toMatch(/nonce="strong".*algorithm=SHA-256/)
    expect(registrar.all('REGISTER').length).toBe(2)
  })

  it('for the integrity of the body gets auth-int', async () => {
    asking((_received, n) =>
      n > 1
        ? null
        : [401, ['WWW-Authenticate: Digest realm="scripted", nonce="n", qop="auth-int"']],
    )
    await register()
    await expect.poll(async () => (await probe())?.state).toBe('ready')
    expect(authorization(2)).toContain('qop=auth-int')
  })

  it('again because the nonce is stale is answered again', async () => {
    asking((_received, n) =>
      n > 2 ? null : [401, [`WWW-Authenticate: ${sha('r', `n${n}`, n > 1 ? ', stale=true' : '')}`]],
    )
    await register()
    await expect.poll(async () => (await probe())?.state).toBe('ready')
    expect(authorization(3)).toContain('nonce="n2"')
  })

  it('behind a proxy that asks too is answered with both (n-IA-hane/esphome-intercom#74)', async () => {
    asking(({ message }) => {
      if (!headerOf(message, 'proxy-authorization'))
        return [407, [`Proxy-Authenticate: ${sha('edge', 'n1')}`]]
      if (!headerOf(message, 'authorization'))
        return [401, [`WWW-Authenticate: ${sha('home', 'n2')}`]]
      return null
    })
    await register()
    await expect.poll(async () => (await probe())?.state).toBe('ready')
    const last = registrar.all('REGISTER').at(-1)
    expect(headerOf(last?.message as never, 'proxy-authorization')).toContain('realm="edge"')
    expect(authorization(3)).toContain('realm="home"')
    expect(last?.message.cseq?.number).toBe(3)
  })

  it('for what nobody knows is told so', async () => {
    asking(() => [401, ['WWW-Authenticate: Digest realm="r", nonce="n", algorithm=SHA-3']])
    await register()
    await expect.poll(async () => (await probe())?.reason).toContain('refused: 401')
    expect(registrar.all('REGISTER').length).toBe(1)
  })
})

describe('a registrar in trouble', () => {
  it('that takes three seconds to answer is waited for (n-IA-hane/esphome-intercom#93)', async () => {
    registrar.onMessage = (received) => {
      if (registrar.all('REGISTER').length === 1) setTimeout(() => accept(received, 600), 3_000)
    }
    await register()
    await expect.poll(async () => (await probe())?.state, { timeout: 5_000 }).toBe('ready')
  })

  it('is away within two seconds when its port is closed, and is found again', async () => {
    const { port } = registrar
    registrar.close()
    await register()
    await expect
      .poll(async () => (await probe())?.reason, { timeout: 2_000 })
      .toContain('nothing listens')
    registrar = await ScriptedUas.open(port)
    registrar.onMessage = (received) => accept(received, 600)
    await expect.poll(async () => (await probe())?.state, { timeout: 6_000 }).toBe('ready')
  })

  it('is asked again when it said it wants to be', async () => {
    registrar.onMessage = (received) => {
      if (registrar.all('REGISTER').length > 1) accept(received, 600)
      else registrar.reply(received, 503, { headers: ['Retry-After: 4 (maintenance)'] })
    }
    await register()
    const first = await registrar.wait('REGISTER')
    const second = await registrar.wait('REGISTER', { n: 2, withinMs: 6_000 })
    expect(second.at - first.at).toBeGreaterThan(3_400)
  })

  it('gives way to the next address of its name', async () => {
    const { port } = registrar
    const other = await ScriptedUas.open(port, '127.0.0.3')
    other.onMessage = (received) => other.reply(received, 200)
    registrar.onMessage = (received) => registrar.reply(received, 503)
    side = await startSipSide(
      [
        trunkOptions(port, {
          host: 'sip.test',
          register: true,
          username: 'alice',
          password: 's3cret',
        }),
      ],
      {
        sip: { host: '0.0.0.0' },
        lookup: async () => [
          { address: '127.0.0.1', family: 4 },
          { address: '127.0.0.3', family: 4 },
        ],
      },
    )
    await expect.poll(async () => (await probe())?.state).toBe('ready')
    expect(registrar.all('REGISTER').length).toBe(1)
    expect(other.all('REGISTER').length).toBe(1)
    await side.telephony.stop()
    other.close()
  })
})

describe('a registration over UDP', () => {
  const HOUR = 3_600

  async function registered(): Promise<SimClock> {
    const clock = new SimClock()
    registrar.onMessage = (received) => {
      if (received.message.method === 'REGISTER') accept(received, HOUR)
      else registrar.reply(received, 404)
    }
    const options = { register: true, username: 'alice', password: 's3cret' }
    side = await startSipSide([trunkOptions(registrar.port, options)], { clock })
    await expect.poll(async () => (await probe())?.state).toBe('ready')
    return clock
  }

  /** Lets what is due happen, and the datagrams arrive. */
  async function pass(clock: SimClock, ms: number): Promise<void> {
    await clock.advance(ms)
    await Bun.sleep(20)
  }

  it('is kept alive every 20 to 25 s, each fourth time with OPTIONS', async () => {
    const clock = await registered()
    await pass(clock, 19_900)
    expect(registrar.stray).toBe('')
    await pass(clock, 5_200)
    expect(registrar.stray).toBe('\r\n\r\n')
    for (let n = 0; n < 8; n++) await pass(clock, 10_000)
    const asked = registrar.all('OPTIONS').map(({ message }) => message.callId)
    expect(new Set(asked).size).toBe(1)
    // Whatever the answer: the trunk is there.
    expect((await probe())?.state).toBe('ready')
    expect(registrar.all('REGISTER').length).toBe(1)
  })

  it('is made anew when the trunk begins to see another address', async () => {
    const clock = await registered()
    registrar.onMessage = (received) => {
      for (const header of received.message.headers)
        if (header.name === 'via')
          header.value = header.value.replace(';rport', ';received=192.0.2.7;rport=7060')
      if (received.message.method === 'REGISTER') accept(received, HOUR)
      else registrar.reply(received, 200)
    }
    for (let n = 0; n < 10; n++) await pass(clock, 10_000)
    const second = await registrar.wait('REGISTER', { n: 2 })
    const contacts = second.message.headers.filter(({ name }) => name === 'contact')
    expect(contacts[0]?.value).toContain('@192.0.2.7:7060>;expires=')
    // The former binding leads nowhere any more.
    expect(contacts[1]?.value).toContain('@127.0.0.1:')
    expect(contacts[1]?.value).toContain('expires=0')
  })

  it('is made anew at once when the machine slept through its time', async () => {
    const clock = await registered()
    clock.jump(2 * HOUR * 1_000)
    // It may also be that somebody set the clock.
    expect((await probe())?.state).toBe('ready')
    await pass(clock, 26_000)
    await registrar.wait('REGISTER', { n: 2 })
    await expect.poll(async () => (await probe())?.state).toBe('ready')
  })

  it('does not follow a trunk that sees another port each time', async () => {
    let port = 7_000
    registrar.onMessage = (received) => {
      for (const header of received.message.headers)
        if (header.name === 'via')
          header.value = header.value.replace(';rport', `;received=192.0.2.7;rport=${port++}`)
      accept(received, HOUR)
    }
    await register()
    await Bun.sleep(500)
    expect(registrar.all('REGISTER').length).toBeLessThan(4)
  })

  it('counts what came of it', async () => {
    await registered()
    expect(side?.telephony.stats().trunks).toEqual([
      { name: 'main', registered: true, registrations: 1, registrationFailures: 0, calls: 0 },
    ])
  })
})

describe('a trunk whose address for us keeps changing', () => {
  it('is told the new one at once, and then at most once in half a minute', async () => {
    let port = 7_000
    registrar.onMessage = (received) => {
      for (const header of received.message.headers)
        if (header.name === 'via')
          header.value = header.value.replace(';rport', `;received=192.0.2.7;rport=${++port}`)
      accept(received, 600)
    }
    await register()
    await registrar.wait('REGISTER', { n: 2 })
    await Bun.sleep(500)
    expect(registrar.all('REGISTER').length).toBe(2)
    expect((await probe())?.state).toBe('ready')
    laterMs = 31_000
    // Something that shows it yet another address.
    registrar.onMessage = (received) => {
      for (const header of received.message.headers)
        if (header.name === 'via')
          header.value = header.value.replace(';rport', ';received=192.0.2.7;rport=7999')
      if (received.message.method === 'INVITE') registrar.reply(received, 486)
      else accept(received, 600)
    }
    await side?.dial().dialed
    const third = await registrar.wait('REGISTER', { n: 3 })
    expect(headerOf(third.message, 'contact')).toContain('192.0.2.7:7999')
  })
})

describe('a stop while a REGISTER is under way', () => {
  const expires = (): (string | undefined)[] =>
    registrar.all('REGISTER').map(({ message }) => headerOf(message, 'expires'))

  it('waits for its answer and takes the binding back', async () => {
    registrar.onMessage = (received) => {
      const slow = headerOf(received.message, 'expires') === '600' ? 200 : 0
      setTimeout(() => accept(received, slow ? 600 : 0), slow)
    }
    await register()
    await registrar.wait('REGISTER')
    await side?.telephony.stop()
    expect(expires()).toEqual(['600', '0'])
  })

  it('takes back what may be bound when no answer comes, and does not wait for long', async () => {
    await register()
    await registrar.wait('REGISTER')
    const began = performance.now()
    await side?.telephony.stop()
    expect(performance.now() - began).toBeLessThan(2_500)
    expect(expires()).toContain('0')
  })

  it('asks for nothing when it was refused', async () => {
    registrar.onMessage = (received) => setTimeout(() => registrar.reply(received, 403), 100)
    await register()
    await registrar.wait('REGISTER')
    await side?.telephony.stop()
    expect(expires()).toEqual(['600'])
  })

  it('sends none that was still looking for its trunk', async () => {
    const found = Promise.withResolvers<{ address: string; family: number }[]>()
    const options = { host: 'trunk.test', register: true, username: 'alice', password: 's3cret' }
    side = createSipSide([trunkOptions(registrar.port, options)], { lookup: () => found.promise })
    const starting = side.telephony.start()
    await Bun.sleep(50)
    await side.telephony.stop()
    found.resolve([{ address: '127.0.0.1', family: 4 }])
    await starting
    await Bun.sleep(100)
    expect(registrar.received).toEqual([])
  })
})

describe('a trunk that does not register', () => {
  it('is ready when the socket is open', async () => {
    side = await startSipSide([trunkOptions(registrar.port)])
    expect(await probe()).toMatchObject({ name: 'trunk main', state: 'ready' })
    await side.telephony.stop()
    expect(await probe()).toMatchObject({ state: 'away' })
    expect(registrar.received.length).toBe(0)
  })

  it('is missing when none is configured', async () => {
    side = await startSipSide([])
    expect(await probe()).toMatchObject({ name: 'trunk', state: 'missing' })
    expect(await side.dial().dialed).toMatchObject({
      failed: 'trunk_error',
      reason: 'no trunk is configured',
    })
  })
})
