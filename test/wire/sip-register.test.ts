import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import type { Probe } from '../../src/core/probe.ts'
import { headerOf } from '../../src/telephony/sip/wire-message.ts'
import { type Received, ScriptedUas } from '../kit/scripted-uas.ts'
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

describe('a trunk that registers', () => {
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

  it('registers the address that the trunk sees, and offers it', async () => {
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
