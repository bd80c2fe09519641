import { afterEach, describe, expect, it } from 'vitest'
import { headerOf } from '../../src/telephony/sip/wire-message.ts'
import type { TrunkOptions } from '../../src/telephony/trunk-options.ts'
import { ANSWER_SDP, type Received, ScriptedUas } from '../kit/scripted-uas.ts'
import { answerCall, type SipSide, startSipSide, trunkOptions } from '../kit/sip-side.ts'

const ends: (() => unknown)[] = []

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function openUas(
  script: (uas: ScriptedUas, invite: Received) => void,
  o: { port?: number; host?: string } = {},
): Promise<ScriptedUas> {
  const uas = await ScriptedUas.open(o.port, o.host)
  ends.push(() => uas.close())
  uas.onMessage = (received) => {
    const { method, kind } = received.message
    if (kind !== 'request' || method === 'ACK') return
    if (method === 'INVITE') script(uas, received)
    else uas.reply(received, 200)
  }
  return uas
}

async function start(
  trunks: readonly TrunkOptions[],
  o: Parameters<typeof startSipSide>[1] = {},
): Promise<SipSide> {
  const side = await startSipSide(trunks, o)
  ends.push(() => side.telephony.stop())
  return side
}

const answers = (uas: ScriptedUas, invite: Received): void => {
  uas.reply(invite, 200, { body: ANSWER_SDP() })
}
const refuses =
  (status: number) =>
  (uas: ScriptedUas, invite: Received): void => {
    uas.reply(invite, status)
  }
const silent = (): void => {}

async function hangUp(dialed: Awaited<ReturnType<SipSide['dial']>['dialed']>): Promise<void> {
  if (!('answered' in dialed)) throw new Error(JSON.stringify(dialed))
  await dialed.answered.hangup()
}

describe('of two trunks the second is called', () => {
  it.each([500, 502, 503, 504, 408])('when the first says %i before it rings', async (status) => {
    const first = await openUas(refuses(status))
    const second = await openUas(answers)
    const side = await start([
      trunkOptions(first.port),
      trunkOptions(second.port, { name: 'second' }),
    ])
    await hangUp(await side.dial().dialed)
    expect(side.states.map(({ trunk }) => trunk)).toEqual(['main', 'second'])
    await first.wait('ACK')
  })

  it('when the first says nothing at all to the INVITE', async () => {
    const first = await openUas(silent)
    const second = await openUas(answers)
    const side = await start([
      trunkOptions(first.port),
      trunkOptions(second.port, { name: 'second' }),
    ])
    await hangUp(await side.dial({ ringTimeoutMs: 700 }).dialed)
    expect(side.states.map(({ trunk }) => trunk)).toEqual(['main', 'second'])
  })

  it('when nothing listens at the first', async () => {
    const gone = await ScriptedUas.open()
    gone.close()
    const second = await openUas(answers)
    const side = await start([
      trunkOptions(gone.port),
      trunkOptions(second.port, { name: 'second' }),
    ])
    const began = performance.now()
    await hangUp(await side.dial().dialed)
    expect(performance.now() - began).toBeLessThan(1_500)
  })

  it('when the first carries all its calls', async () => {
    const first = await openUas(answers)
    const second = await openUas(answers)
    const side = await start([
      trunkOptions(first.port, { maxCalls: 1 }),
      trunkOptions(second.port, { name: 'second' }),
    ])
    const one = await side.dial().dialed
    const two = await side.dial().dialed
    expect(side.states.map(({ trunk }) => trunk)).toEqual(['main', 'second'])
    expect(side.telephony.stats().trunks.map(({ calls }) => calls)).toEqual([1, 1])
    await hangUp(one)
    const three = await side.dial().dialed
    expect(side.states.at(-1)?.trunk).toBe('main')
    await hangUp(two)
    await hangUp(three)
    expect(side.telephony.stats().trunks.map(({ calls }) => calls)).toEqual([0, 0])
  })

  it('first, when it owns the number that calls', async () => {
    const first = await openUas(answers)
    const second = await openUas(answers)
    const side = await start([
      trunkOptions(first.port),
      trunkOptions(second.port, { name: 'second', numbers: ['+15550002222'] }),
    ])
    await hangUp(await side.dial({ from: '+15550002222' }).dialed)
    expect(side.states.map(({ trunk }) => trunk)).toEqual(['second'])
  })
})

describe('of two trunks the second is not called', () => {
  it.each([404, 480, 486, 603])('when the first says %i: that is an answer', async (status) => {
    const first = await openUas(refuses(status))
    const second = await openUas(answers)
    const side = await start([
      trunkOptions(first.port),
      trunkOptions(second.port, { name: 'second' }),
    ])
    expect(await side.dial().dialed).toMatchObject({ sipCode: status })
    expect(second.received).toEqual([])
  })

  it.each([
    [180, 503],
    [183, 500],
    [180, 408],
  ])('when the first says %i and then %i: a phone may have rung', async (ringing, status) => {
    const first = await openUas((uas, invite) => {
      uas.reply(invite, ringing)
      uas.reply(invite, status)
    })
    const second = await openUas(answers)
    const side = await start([
      trunkOptions(first.port),
      trunkOptions(second.port, { name: 'second' }),
    ])
    expect(await side.dial().dialed).toMatchObject({ sipCode: status })
    expect(second.received).toEqual([])
  })

  it('when the call was canceled meanwhile', async () => {
    const first = await openUas((uas, invite) => {
      call.abort()
      uas.reply(invite, 503)
    })
    const second = await openUas(answers)
    const side = await start([
      trunkOptions(first.port),
      trunkOptions(second.port, { name: 'second' }),
    ])
    const call = side.dial()
    expect(await call.dialed).toMatchObject({ failed: 'canceled' })
    expect(second.received).toEqual([])
  })
})

describe('a trunk of several targets', () => {
  /** A trunk by SRV: one port, three addresses of loopback. */
  async function setup(scripts: readonly ((uas: ScriptedUas, invite: Received) => void)[]) {
    const uases: ScriptedUas[] = []
    for (const [n, script] of scripts.entries())
      uases.push(await openUas(script, { port: uases[0]?.port ?? 0, host: `127.0.0.${n + 1}` }))
    const port = uases[0]?.port ?? 0
    const asked: string[] = []
    const side = await start(
      [trunkOptions(port, { host: 'sip.test', port: null, transport: null })],
      {
        sip: { host: '0.0.0.0' },
        dns: {
          addresses: async (host) => [{ address: `127.0.0.${host[1]}`, family: 4 }],
          srv: async (name) => {
            asked.push(name)
            if (name !== '_sip._udp.sip.test') throw new Error('ENOTFOUND')
            return scripts.map((_script, n) => ({
              name: `h${n + 1}.test`,
              port,
              priority: n,
              weight: 0,
            }))
          },
          naptr: async () => [],
        },
      },
    )
    return { uases, side, asked }
  }

  it('is called at the next one when a target fails, refuses with 503, or is gone', async () => {
    const { uases, side } = await setup([refuses(503), answers, answers])
    await hangUp(await side.dial().dialed)
    expect(uases.map((uas) => uas.all('INVITE').length)).toEqual([1, 1, 0])
    expect(side.states.map(({ trunk }) => trunk)).toEqual(['main', 'main'])
    // What failed is passed over for a while: the next call loses no time with it.
    await hangUp(await side.dial().dialed)
    expect(uases.map((uas) => uas.all('INVITE').length)).toEqual([1, 2, 0])
    uases[1]?.close()
    await hangUp(await side.dial().dialed)
    expect(uases[2]?.all('INVITE').length).toBe(1)
  })

  it('is not called anywhere else after 486, and after 500', async () => {
    for (const status of [486, 500]) {
      const { uases, side } = await setup([refuses(status), answers])
      expect(await side.dial().dialed).toMatchObject({ sipCode: status })
      expect(uases[1]?.received).toEqual([])
    }
  })

  it('fails when all of them do, once each', async () => {
    const { uases, side } = await setup([refuses(503), refuses(503), refuses(503)])
    expect(await side.dial().dialed).toMatchObject({ failed: 'trunk_error', sipCode: 503 })
    expect(uases.map((uas) => uas.all('INVITE').length)).toEqual([1, 1, 1])
  })

  it('may call us from each of them', async () => {
    const { uases, side } = await setup([silent, silent, silent])
    const stranger = await openUas(silent, { host: '127.0.0.9' })
    const us = { host: '127.0.0.1', port: side.telephony.localPort() }
    const options = (n: number): string =>
      [
        'OPTIONS sip:x@127.0.0.1 SIP/2.0',
        `Via: SIP/2.0/UDP 127.0.0.${n}:5999;branch=z9hG4bKo${n};rport`,
        'From: <sip:x@x>;tag=1',
        'To: <sip:x@x>',
        `Call-ID: o${n}`,
        'CSeq: 1 OPTIONS',
        'Content-Length: 0',
        '',
        '',
      ].join('\r\n')
    stranger.send(options(9), us)
    for (const [n, uas] of uases.entries()) {
      uas.send(options(n + 1), us)
      await uas.wait('SIP 200')
    }
    expect(stranger.received).toEqual([])
  })

  it('asks for its records once for calls that come together', async () => {
    const { side, asked } = await setup([answers])
    await Promise.all([1, 2, 3].map(async () => hangUp(await side.dial().dialed)))
    expect(asked.filter((name) => name === '_sip._udp.sip.test')).toHaveLength(1)
  })
})

describe('a trunk with a pace', () => {
  it('is sent its INVITEs evenly spaced', async () => {
    const uas = await openUas(refuses(486))
    const side = await start([trunkOptions(uas.port, { perSecond: 10 })])
    await Promise.all([1, 2, 3, 4].map(() => side.dial().dialed))
    const times = uas.all('INVITE').map(({ at }) => at)
    for (const [n, at] of times.entries())
      if (n > 0) expect(at - (times[n - 1] ?? 0)).toBeGreaterThan(80)
  })
})

describe('an outbound proxy', () => {
  it('is sent everything when the SIP domain is logical and has no address (n-IA-hane/esphome-intercom#105)', async () => {
    const uas = await openUas((proxy, invite) =>
      proxy.reply(invite, 200, {
        body: ANSWER_SDP(),
        headers: ['Contact: <sip:+15551234567@voice.logical.test>'],
      }),
    )
    const asked: string[] = []
    const side = await start(
      [
        trunkOptions(0, {
          host: 'logical.test',
          port: null,
          outboundProxy: `proxy.test:${uas.port}`,
        }),
      ],
      {
        lookup: async (host) => {
          asked.push(host)
          if (host !== 'proxy.test') throw new Error('ENOTFOUND')
          return [{ address: '127.0.0.1', family: 4 }]
        },
      },
    )
    const dialed = await side.dial().dialed
    const invite = await uas.wait('INVITE')
    expect(invite.message.requestUri).toBe('sip:+15551234567@logical.test')
    await uas.wait('ACK')
    await hangUp(dialed)
    await uas.wait('BYE')
    expect(asked).not.toContain('logical.test')
  })
})

describe('a dialog of a trunk over UDP', () => {
  it('stays on UDP when its Contact says nothing else (n-IA-hane/esphome-intercom#108)', async () => {
    const uas = await openUas(answers)
    const side = await start([trunkOptions(uas.port, { transport: null })])
    const dialed = await side.dial().dialed
    expect(headerOf((await uas.wait('INVITE')).message, 'contact')).not.toContain('transport')
    await hangUp(dialed)
    expect(headerOf((await uas.wait('BYE')).message, 'via')).toMatch(/^SIP\/2\.0\/UDP /)
  })
})

describe('a trunk over IPv6', () => {
  it('is called at ::1, with our own IPv6 address in Contact, Via and SDP', async () => {
    const uas = await openUas(
      (far, invite) =>
        far.reply(invite, 200, { body: ANSWER_SDP().replaceAll('IP4 127.0.0.1', 'IP6 ::1') }),
      { host: '::1' },
    )
    for (const host of ['::1', '::']) {
      const side = await start([trunkOptions(uas.port, { host: '::1' })], { sip: { host } })
      uas.received.length = 0
      const dialed = await side.dial().dialed
      const { message, text } = await uas.wait('INVITE')
      const port = side.telephony.localPort()
      expect(message.requestUri).toBe(`sip:+15551234567@[::1]:${uas.port}`)
      expect(headerOf(message, 'contact')).toBe(`<sip:15550001111@[::1]:${port}>`)
      expect(headerOf(message, 'via')).toContain(`SIP/2.0/UDP [::1]:${port};branch=`)
      expect(text).toContain('c=IN IP6 ::1\r\n')
      expect(side.media.sessions[0]?.agreements[0]?.remote.host).toBe('::1')
      await hangUp(dialed)
      await side.telephony.stop()
    }
  })

  it('and one over IPv4 are both called from "::"', async () => {
    const six = await openUas(refuses(503), { host: '::1' })
    const four = await openUas(answers)
    const side = await start(
      [trunkOptions(six.port, { host: '::1' }), trunkOptions(four.port, { name: 'second' })],
      { sip: { host: '::' } },
    )
    const dialed = await side.dial().dialed
    expect((await four.wait('INVITE')).text).toContain('c=IN IP4 127.0.0.1\r\n')
    await hangUp(dialed)
  })

  it('says what to configure when we only listen on IPv4', async () => {
    const side = await start([trunkOptions(5060, { host: '::1' })])
    const dialed = await side.dial().dialed
    expect('reason' in dialed && dialed.reason).toContain('cannot be reached from sip.host')
  })
})

describe('a call that comes from one of two trunks', () => {
  const INVITE = (from: string, user: string): string =>
    [
      `INVITE sip:${user}@127.0.0.1 SIP/2.0`,
      `Via: SIP/2.0/UDP ${from}:5999;branch=z9hG4bK${from}${user};rport`,
      'From: <sip:+15551234567@127.0.0.1>;tag=caller',
      `To: <sip:${user}@127.0.0.1>`,
      `Call-ID: in-${from}-${user}`,
      'CSeq: 1 INVITE',
      'Max-Forwards: 70',
      `Contact: <sip:caller@${from}:5999>`,
      'Content-Type: application/sdp',
      `Content-Length: ${ANSWER_SDP().length}`,
      '',
      ANSWER_SDP(),
    ].join('\r\n')

  it('is taken by that trunk, by its codecs', async () => {
    const one = await openUas(silent, { host: '127.0.0.1' })
    const two = await openUas(silent, { host: '127.0.0.2' })
    const side = await start(
      [
        trunkOptions(one.port, { codecs: ['PCMA'] }),
        trunkOptions(two.port, { name: 'second', host: '127.0.0.2', codecs: ['PCMU'] }),
      ],
      { sip: { host: '0.0.0.0' }, onCall: (call) => void answerCall(call) },
    )
    const us = { host: '127.0.0.1', port: side.telephony.localPort() }
    one.send(INVITE('127.0.0.1', 'x'), us)
    await one.wait('SIP 488')
    two.send(INVITE('127.0.0.2', 'x'), us)
    expect((await two.wait('SIP 200')).text).toContain('RTP/AVP 0 101')
  })

  it('is refused from an address that only a live call uses', async () => {
    const trunk = await openUas(answers)
    const side = await start([trunkOptions(trunk.port)], {
      sip: { host: '0.0.0.0' },
      onCall: (call) => call.reject(486),
    })
    const stranger = await openUas(silent, { host: '127.0.0.7' })
    trunk.onMessage = (received) => {
      const { method, kind } = received.message
      if (kind !== 'request' || method === 'ACK') return
      const headers =
        method === 'INVITE' ? [`Record-Route: <sip:127.0.0.7:${stranger.port};lr>`] : []
      trunk.reply(received, 200, method === 'INVITE' ? { headers, body: ANSWER_SDP() } : {})
    }
    const dialed = await side.dial().dialed
    if (!('answered' in dialed)) throw new Error(JSON.stringify(dialed))
    stranger.send(INVITE('127.0.0.7', 'x'), { host: '127.0.0.1', port: side.telephony.localPort() })
    await stranger.wait('SIP 403')
    stranger.onMessage = (received) => {
      if (received.message.method === 'BYE') stranger.reply(received, 200)
    }
    await dialed.answered.hangup()
  })
})
