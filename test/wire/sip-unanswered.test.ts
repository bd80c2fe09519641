import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Dialed } from '../../src/calls/ports.ts'
import { headerOf } from '../../src/telephony/sip/wire-message.ts'
import { ANSWER_SDP, type Received, ScriptedUas } from '../kit/scripted-uas.ts'
import { type SipSide, startSipSide, trunkOptions } from '../kit/sip-side.ts'

let uas: ScriptedUas
let side: SipSide
const sides: SipSide[] = []

async function setup(options: Partial<Parameters<typeof trunkOptions>[1]> = {}): Promise<void> {
  side = await startSipSide([trunkOptions(uas.port, options)])
  sides.push(side)
}

beforeEach(async () => {
  uas = await ScriptedUas.open()
  await setup()
})

afterEach(async () => {
  for (const one of sides.splice(0)) await one.telephony.stop()
  uas.close()
})

function onInvite(script: (invite: Received, n: number) => void): void {
  let n = 0
  uas.onMessage = (received) => {
    if (received.message.method === 'INVITE' && received.message.kind === 'request')
      script(received, ++n)
  }
}

describe('a refused call', () => {
  it.each([
    [486, 'busy'],
    [600, 'busy'],
    [408, 'no_answer'],
    [480, 'no_answer'],
    [302, 'rejected'],
    [403, 'rejected'],
    [404, 'rejected'],
    [603, 'rejected'],
    [500, 'trunk_error'],
    [503, 'trunk_error'],
  ])('with %i is told as %s', async (status, failed) => {
    onInvite((invite) =>
      uas.reply(invite, status, { headers: ['Contact: <sip:+19005550000@127.0.0.1>'] }),
    )
    const call = side.dial()
    expect(await call.dialed).toEqual({ failed, sipCode: status, reason: `${status} Scripted` })
    const ack = await uas.wait('ACK')
    expect(ack.message.via?.branch).toBe(uas.all('INVITE')[0]?.message.via?.branch)
    expect(call.rang()).toBe(0)
    expect(uas.all('INVITE').length).toBe(1)
    expect(side.media.sessions[0]?.closed).toBe(true)
  })

  it('re-sends the ACK for a repeated final response', async () => {
    let busy = ''
    onInvite((invite) => {
      busy = uas.reply(invite, 486)
    })
    await side.dial().dialed
    const first = await uas.wait('ACK')
    uas.send(busy, first.from)
    const second = await uas.wait('ACK', { n: 2 })
    expect(second.text).toBe(first.text)
  })

  it('keeps control bytes of the reason out of what it tells', async () => {
    onInvite((invite) => uas.reply(invite, 404, { reason: 'Not\u001b[31m\u0007 here' }))
    const dialed = await side.dial().dialed
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control bytes are what is looked for
    expect(JSON.stringify([dialed, side.lines])).not.toMatch(/\\u00[01]|[\u0000-\u001f]/)
  })

  it('logs no full number at info', async () => {
    onInvite((invite) => uas.reply(invite, 486))
    await side.dial().dialed
    const told = side.lines.filter(({ level }) => level !== 'debug')
    expect(told.length).toBeGreaterThan(0)
    expect(JSON.stringify(told)).not.toContain('5551234567')
  })
})

describe('a challenged INVITE', () => {
  const CHALLENGE = (nonce: string): string[] => [
    `Proxy-Authenticate: Digest realm="scripted", nonce="${nonce}", qop="auth", algorithm=MD5`,
  ]

  it('is sent again with credentials, after its state was stored again', async () => {
    await setup({ username: 'alice', password: 's3cret' })
    onInvite((invite, n) => {
      if (n === 1) uas.reply(invite, 407, { headers: CHALLENGE('n1') })
      else uas.reply(invite, 486)
    })
    expect(await side.dial().dialed).toMatchObject({ failed: 'busy' })
    const [first, second] = uas.all('INVITE')
    expect(headerOf(second?.message as never, 'proxy-authorization')).toContain('username="alice"')
    expect(side.states.map((state) => state.cseq)).toEqual([1, 2])
    expect(side.states[1]?.branch).toBe(second?.message.via?.branch)
    expect(side.states[0]?.branch).toBe(first?.message.via?.branch)
    expect(side.states[0]?.branch).not.toBe(side.states[1]?.branch)
    expect(second?.message.callId).toBe(first?.message.callId)
  })

  it('gives up when the password is wrong, whatever nonce comes', async () => {
    await setup({ username: 'alice', password: 'wrong' })
    onInvite((invite, n) => uas.reply(invite, 407, { headers: CHALLENGE(`n${n}`) }))
    const dialed = await side.dial().dialed
    expect(dialed).toMatchObject({ failed: 'trunk_error', sipCode: 407 })
    expect(uas.all('INVITE').length).toBe(2)
  })

  it('is a trunk error when there are no credentials', async () => {
    onInvite((invite) =>
      uas.reply(invite, 401, { headers: ['WWW-Authenticate: Digest realm="x", nonce="y"'] }),
    )
    expect(await side.dial().dialed).toMatchObject({
      failed: 'trunk_error',
      sipCode: 401,
      reason: 'the trunk asks for credentials: 401 Scripted',
    })
    expect(uas.all('INVITE').length).toBe(1)
  })

  it('sends nothing more when the call was canceled meanwhile', async () => {
    await setup({ username: 'alice', password: 's3cret' })
    const call = side.dial()
    onInvite((invite) => {
      call.abort()
      uas.reply(invite, 407, { headers: CHALLENGE('n1') })
    })
    expect(await call.dialed).toMatchObject({ failed: 'canceled' })
    await uas.wait('ACK')
    await Bun.sleep(100)
    expect(uas.all('INVITE').length).toBe(1)
  })
})

describe('a call that we end before the answer', () => {
  /** Rings, and lets itself be canceled. */
  function ringing(): void {
    uas.onMessage = (received) => {
      const { method, kind } = received.message
      if (kind !== 'request') return
      if (method === 'INVITE') uas.reply(received, 180)
      if (method !== 'CANCEL') return
      uas.reply(received, 200)
      const invite = uas.all('INVITE')[0]
      if (invite) uas.reply(invite, 487)
    }
  }

  it('is canceled after it rang', async () => {
    ringing()
    const call = side.dial()
    await expect.poll(() => call.rang()).toBe(1)
    call.abort()
    expect(await call.dialed).toMatchObject({ failed: 'canceled', sipCode: 487 })
    const [invite, cancel] = [uas.all('INVITE')[0], uas.all('CANCEL')[0]]
    expect(cancel?.message.via).toEqual(invite?.message.via)
    expect(cancel?.message.cseq?.number).toBe(invite?.message.cseq?.number)
    await uas.wait('ACK')
  })

  it('is no answer when it rang too long', async () => {
    ringing()
    const dialed = await side.dial({ ringTimeoutMs: 200 }).dialed
    expect(dialed).toMatchObject({ failed: 'no_answer' })
    await uas.wait('ACK')
  })

  it('waits for the first provisional response before it sends CANCEL', async () => {
    const call = side.dial()
    const invite = await uas.wait('INVITE')
    call.abort()
    await Bun.sleep(700)
    expect(uas.all('CANCEL').length).toBe(0)
    expect(uas.all('INVITE').length).toBe(1)
    ringing()
    uas.reply(invite, 100)
    expect(await call.dialed).toMatchObject({ failed: 'canceled', sipCode: 487 })
  })

  it('is acknowledged and hung up when the answer crossed the CANCEL', async () => {
    uas.onMessage = (received) => {
      const { method, kind } = received.message
      if (kind !== 'request') return
      if (method === 'INVITE') uas.reply(received, 180)
      if (method === 'BYE') uas.reply(received, 200)
      if (method !== 'CANCEL') return
      uas.reply(received, 200)
      const invite = uas.all('INVITE')[0]
      if (invite) uas.reply(invite, 200, { body: ANSWER_SDP() })
    }
    const call = side.dial()
    await expect.poll(() => call.rang()).toBe(1)
    call.abort()
    expect(await call.dialed).toMatchObject({ failed: 'canceled' })
    await uas.wait('ACK')
    await uas.wait('BYE')
    expect(side.media.sessions[0]?.closed).toBe(true)
  })

  it('sends nothing when it was canceled before', async () => {
    const controller = new AbortController()
    controller.abort()
    const dialed: Dialed = await side.dial({ signal: controller.signal }).dialed
    expect(dialed).toMatchObject({ failed: 'canceled' })
    await Bun.sleep(100)
    expect(uas.received.length).toBe(0)
  })

  it('sends nothing when its state cannot be stored, and throws that error', async () => {
    const dialed = side.dial({
      beforeInvite: async () => {
        throw new Error('disk full')
      },
    }).dialed
    await expect(dialed).rejects.toThrow('disk full')
    await Bun.sleep(700)
    expect(uas.received.length).toBe(0)
    expect(side.media.sessions[0]?.closed).toBe(true)
  })

  it('sends nothing when it is canceled while its state is stored', async () => {
    let stored = (): void => {}
    const call = side.dial({
      beforeInvite: () =>
        new Promise((done) => {
          stored = done
        }),
    })
    await Bun.sleep(50)
    call.abort()
    stored()
    expect(await call.dialed).toMatchObject({ failed: 'canceled' })
    await Bun.sleep(100)
    expect(uas.received.length).toBe(0)
  })
})

describe('a trunk that is not there', () => {
  it('is a trunk error within a second when its port is closed', async () => {
    uas.close()
    const began = performance.now()
    const dialed = await side.dial().dialed
    expect(dialed).toMatchObject({ failed: 'trunk_error', sipCode: null })
    expect('reason' in dialed && dialed.reason).toContain('nothing listens')
    expect(performance.now() - began).toBeLessThan(2_000)
    uas = await ScriptedUas.open()
  })

  it('is a trunk error when it says nothing until the ring timeout, and a late ringing is canceled', async () => {
    const call = side.dial({ ringTimeoutMs: 300 })
    expect(await call.dialed).toMatchObject({ failed: 'trunk_error', sipCode: null })
    const invite = await uas.wait('INVITE')
    uas.reply(invite, 180)
    await uas.wait('CANCEL')
    uas.reply(invite, 487)
    await uas.wait('ACK')
  })

  it('is a trunk error when its name does not resolve', async () => {
    const lost = await startSipSide([trunkOptions(5060, { host: 'trunk.invalid' })], {
      lookup: async () => {
        throw new Error('ENOTFOUND')
      },
    })
    sides.push(lost)
    const dialed = await lost.dial().dialed
    expect(dialed).toEqual({
      failed: 'trunk_error',
      sipCode: null,
      reason: 'looking up trunk.invalid: ENOTFOUND',
    })
  })

  it('is passed over for the next in order, but not once the phone rang (elizaOS/eliza#22382)', async () => {
    const second = await ScriptedUas.open()
    second.onMessage = (received) => {
      if (received.message.method === 'INVITE') second.reply(received, 486)
    }
    side = await startSipSide([
      trunkOptions(uas.port),
      trunkOptions(second.port, { name: 'second' }),
    ])
    sides.push(side)
    onInvite((invite, n) => {
      if (n === 2) uas.reply(invite, 180)
      uas.reply(invite, 503)
    })
    expect(await side.dial().dialed).toMatchObject({ failed: 'busy' })
    expect(side.states.map((state) => state.trunk)).toEqual(['main', 'second'])
    const rang = await side.dial().dialed
    expect(rang).toMatchObject({ failed: 'trunk_error', sipCode: 503 })
    expect(rang).not.toHaveProperty('unknown')
    expect(second.all('INVITE').length).toBe(1)
    second.close()
  })

  it('is no trunk at all when its calls are used up', async () => {
    await setup({ maxCalls: 1 })
    onInvite((invite) => uas.reply(invite, 180))
    const first = side.dial()
    await expect.poll(() => first.rang()).toBe(1)
    expect(await side.dial().dialed).toMatchObject({
      failed: 'trunk_error',
      reason: 'trunk main carries all its 1 calls',
    })
    first.abort()
    const invite = await uas.wait('INVITE')
    await uas.wait('CANCEL')
    uas.reply(invite, 487)
    await first.dialed
  })

  it('is a trunk error when no RTP port is free', async () => {
    side.media.exhausted = true
    expect(await side.dial().dialed).toMatchObject({
      failed: 'trunk_error',
      reason: 'opening media: no RTP port is free',
    })
    expect(uas.received.length).toBe(0)
  })
})
