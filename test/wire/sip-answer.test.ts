import * as Core from 'sip.js/lib/core/index.js'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Leg, SipState } from '../../src/calls/ports.ts'
import { systemClock } from '../../src/core/clock.ts'
import { ANSWER_SDP, type Received, ScriptedUas } from '../kit/scripted-uas.ts'
import { type SipSide, startSipSide, trunkOptions } from '../kit/sip-side.ts'

type Addresses = { address: string; family: number }[]

const HERE: Addresses = [{ address: '127.0.0.1', family: 4 }]
/** Well under what a person on the phone notices, and far under the patience with DNS. */
const AT_ONCE_MS = 300

let uas: ScriptedUas
/** Another socket of the trunk: it answers what the first was asked. */
let sbc: ScriptedUas
let side: SipSide
let lookup: (host: string) => Promise<Addresses>
/** How far time has been moved on. */
let later: number

const clock = { ...systemClock, steady: () => systemClock.steady() + later }

beforeEach(async () => {
  later = 0
  uas = await ScriptedUas.open()
  sbc = await ScriptedUas.open()
  for (const peer of [uas, sbc])
    peer.onMessage = (received) => {
      if (received.message.method === 'BYE') peer.reply(received, 200)
    }
  lookup = async () => HERE
})

afterEach(async () => {
  await side.telephony.stop()
  uas.close()
  sbc.close()
})

async function setup(host = '127.0.0.1'): Promise<void> {
  side = await startSipSide([trunkOptions(uas.port, { host })], {
    clock,
    lookup: (name) => lookup(name),
  })
}

function onInvite(script: (invite: Received) => void): void {
  const { onMessage } = uas
  uas.onMessage = (received) => {
    if (received.message.method === 'INVITE' && received.message.kind === 'request')
      script(received)
    else onMessage(received)
  }
}

/** A 200 from the other socket, whose Contact is a name. */
function answerFromElsewhere(invite: Received, contact: string): void {
  const away = { ...invite, from: { host: '127.0.0.1', port: 9 } }
  const ok = uas.reply(away, 200, { body: ANSWER_SDP() })
  sbc.send(ok.replace(/^Contact: .*$/m, `Contact: <${contact}>`), invite.from)
}

async function answered(
  o: Parameters<SipSide['dial']>[0] = {},
): Promise<{ leg: Leg; state: SipState }> {
  const dialed = await side.dial(o).dialed
  if (!('answered' in dialed)) throw new Error(JSON.stringify(dialed))
  return { leg: dialed.answered, state: dialed.state }
}

describe('an answer that names a host', () => {
  it('is a leg at once, acknowledged to where it came from, while the name is looked up', async () => {
    lookup = () => new Promise(() => {})
    await setup()
    onInvite((invite) => answerFromElsewhere(invite, 'sip:uas@sbc.test'))
    const began = performance.now()
    const { state } = await answered()
    const ack = await sbc.wait('ACK', { withinMs: AT_ONCE_MS })
    expect(ack.message.requestUri).toBe('sip:uas@sbc.test')
    expect(performance.now() - began).toBeLessThan(AT_ONCE_MS)
    expect(state.destination).toEqual({ host: '127.0.0.1', port: sbc.port })
  })

  it('is hung up at the address of that name once it is known', async () => {
    const found = Promise.withResolvers<Addresses>()
    lookup = () => found.promise
    await setup()
    onInvite((invite) => answerFromElsewhere(invite, `sip:uas@sbc.test:${uas.port}`))
    const { leg } = await answered()
    await sbc.wait('ACK')
    found.resolve(HERE)
    await Bun.sleep(20)
    await leg.hangup()
    expect(uas.all('BYE').length).toBe(1)
    expect(sbc.all('BYE').length).toBe(0)
  })

  it('lets nobody in whose address is found after the call', async () => {
    const found = Promise.withResolvers<Addresses>()
    lookup = () => found.promise
    await setup()
    onInvite((invite) => answerFromElsewhere(invite, 'sip:uas@sbc.test'))
    const { leg } = await answered()
    await leg.hangup()
    found.resolve([{ address: '127.0.0.2', family: 4 }])
    await Bun.sleep(20)
    const late = await Bun.udpSocket({ hostname: '127.0.0.2', port: 0, socket: { error() {} } })
    late.send('OPTIONS', side.telephony.localPort(), '127.0.0.1')
    await expect.poll(() => side.telephony.stats().foreign).toBe(1)
    late.close()
  })

  it('is acknowledged at once when the name of the trunk itself is to be looked up again', async () => {
    await setup('trunk.test')
    onInvite((invite) => uas.reply(invite, 180))
    const call = side.dial()
    const invite = await uas.wait('INVITE')
    lookup = () => new Promise(() => {})
    later = 61_000
    uas.reply(invite, 200, { body: ANSWER_SDP() })
    await uas.wait('ACK', { withinMs: AT_ONCE_MS })
    const dialed = await call.dialed
    if (!('answered' in dialed)) throw new Error(JSON.stringify(dialed))
    await dialed.answered.hangup()
  })
})

describe('the ACK of an answer', () => {
  beforeEach(async () => {
    await setup()
    onInvite((invite) => uas.reply(invite, 200, { body: ANSWER_SDP() }))
  })

  it('waits until the dialog is stored, the leg does not', async () => {
    const stored = Promise.withResolvers<void>()
    let told: SipState | undefined
    const { state } = await answered({
      onAnswered: (given) => {
        told = given
        return stored.promise
      },
    })
    expect(told).toEqual(state)
    expect(state.phase).toBe('dialog')
    expect(side.media.sessions[0]?.agreements.length).toBe(1)
    await Bun.sleep(200)
    expect(uas.all('ACK').length).toBe(0)
    stored.resolve()
    await uas.wait('ACK', { withinMs: AT_ONCE_MS })
  })

  it('does not wait for more than a second', async () => {
    await answered({ onAnswered: () => new Promise(() => {}) })
    const ack = await uas.wait('ACK', { withinMs: 2_000 })
    const waited = ack.at - (uas.all('INVITE')[0]?.at ?? 0)
    expect(waited).toBeGreaterThan(900)
    expect(waited).toBeLessThan(1_500)
    await Bun.sleep(100)
    expect(uas.all('ACK').length).toBe(1)
  })

  it('leaves also when the dialog cannot be stored', async () => {
    await answered({
      onAnswered: async () => {
        throw new Error('disk full')
      },
    })
    await uas.wait('ACK', { withinMs: AT_ONCE_MS })
  })

  it('leaves before a BYE, whether the dialog is stored or not', async () => {
    const { leg } = await answered({ onAnswered: () => new Promise(() => {}) })
    await leg.hangup()
    expect(uas.received.map(({ message }) => message.method)).toEqual(['INVITE', 'ACK', 'BYE'])
  })

  it('may be late for who hung up already', async () => {
    const stored = Promise.withResolvers<void>()
    const { leg } = await answered({ onAnswered: () => stored.promise })
    uas.request('BYE', await uas.wait('INVITE'))
    expect(await leg.ended).toEqual({ by: 'human' })
    stored.resolve()
    await Bun.sleep(50)
  })
})

describe('an answer that is not wanted', () => {
  const { TIMER_M } = Core.Timers

  afterEach(() => {
    Object.assign(Core.Timers, { TIMER_M })
  })

  it('leaves nothing of its call behind', async () => {
    // The transaction of its INVITE is over at once; that of its BYE takes 5 s (timer K).
    Object.assign(Core.Timers, { TIMER_M: 50 })
    await setup()
    onInvite((invite) =>
      uas.reply(invite, 200, { body: ANSWER_SDP().replace('RTP/AVP', 'RTP/SAVP') }),
    )
    const sessions: WeakRef<object>[] = []
    for (let n = 0; n < 20; n++) {
      expect(await side.dial().dialed).toMatchObject({ failed: 'trunk_error' })
      for (const session of side.media.sessions.splice(0)) sessions.push(new WeakRef(session))
    }
    expect(sessions.length).toBe(20)
    const left = (): number => {
      Bun.gc(true)
      return sessions.filter((session) => session.deref()).length
    }
    // Something may always be on the stack.
    await expect.poll(left, { timeout: 20_000, interval: 500 }).toBeLessThan(4)
  })
})
