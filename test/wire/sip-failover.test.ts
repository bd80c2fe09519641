import * as Core from 'sip.js/lib/core/index.js'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { headerOf } from '../../src/telephony/sip/wire-message.ts'
import type { TrunkOptions } from '../../src/telephony/trunk-options.ts'
import { ANSWER_SDP, type Received, ScriptedUas } from '../kit/scripted-uas.ts'
import { type SipSide, startSipSide, trunkOptions } from '../kit/sip-side.ts'

/** Two trunks to the same phone: what the first may have rung, the second must not ring again. */
let first: ScriptedUas
let second: ScriptedUas
let side: SipSide
const timers = Core.Timers
const usualTimerB = timers.TIMER_B

beforeEach(async () => {
  first = await ScriptedUas.open()
  second = await ScriptedUas.open()
  second.onMessage = (received) => {
    if (received.message.method === 'INVITE') second.reply(received, 486)
  }
})

afterEach(async () => {
  Object.assign(timers, { TIMER_B: usualTimerB })
  await side.telephony.stop()
  first.close()
  second.close()
})

/** The first trunk does as `script` says with its `n`-th INVITE, and takes every BYE. */
async function setup(
  script: (invite: Received, n: number) => void,
  o: Partial<TrunkOptions> = {},
): Promise<void> {
  let n = 0
  first.onMessage = (received) => {
    const { method, kind } = received.message
    if (kind !== 'request') return
    if (method === 'INVITE') script(received, ++n)
    if (method === 'BYE') first.reply(received, 200)
  }
  side = await startSipSide([
    trunkOptions(first.port, o),
    trunkOptions(second.port, { name: 'second' }),
  ])
}

describe('another trunk', () => {
  it('is not dialled after an answer whose sound cannot be used', async () => {
    await setup((invite) =>
      first.reply(invite, 200, { body: ANSWER_SDP().replace('RTP/AVP', 'RTP/SAVP') }),
    )
    expect(await side.dial().dialed).toMatchObject({
      ...{ failed: 'trunk_error', sipCode: null, unknown: true },
    })
    await first.wait('BYE')
    expect(second.received).toEqual([])
  })

  it.each([
    ['a To that cannot be read', /^To: .*$/m, 'To: "open <sip:x@127.0.0.1>;tag=uas'],
    ['a Record-Route that cannot be read', /^Contact: .*$/m, 'Record-Route: "open <<'],
    ['no tag in To', /;tag=uas/, ''],
  ])('is not dialled after an answer with %s', async (_what, part, instead) => {
    await setup((invite) => {
      const away = { ...invite, from: { host: '127.0.0.1', port: 9 } }
      const ok = first.reply(away, 200, { body: ANSWER_SDP() }).replace(part, instead)
      first.send(ok, invite.from)
      // It was not acknowledged: it comes again.
      setTimeout(() => first.send(ok, invite.from), 300)
    })
    expect(await side.dial({ ringTimeoutMs: 1_500 }).dialed).toMatchObject({
      failed: 'trunk_error',
      sipCode: null,
      unknown: true,
    })
    await first.wait('ACK')
    await first.wait('BYE')
    expect(second.received).toEqual([])
  })

  it('is not dialled when the first fell silent after it asked for credentials', async () => {
    Object.assign(timers, { TIMER_B: 400 })
    await setup(
      (invite, n) => {
        const headers = ['Proxy-Authenticate: Digest realm="r", nonce="n"']
        if (n === 1) first.reply(invite, 407, { headers })
      },
      { username: 'alice', password: 's3cret' },
    )
    expect(await side.dial().dialed).toMatchObject({
      failed: 'trunk_error',
      reason: 'no answer at all to the INVITE',
      unknown: true,
    })
    expect(headerOf(first.all('INVITE').at(-1)?.message as never, 'proxy-authorization')).toContain(
      'alice',
    )
    expect(second.received).toEqual([])
  })

  it('is dialled when nothing at all came back, and a late ringing of the first is canceled', async () => {
    Object.assign(timers, { TIMER_B: 400 })
    await setup(() => undefined)
    expect(await side.dial().dialed).toMatchObject({ failed: 'busy' })
    expect(side.states.map(({ trunk }) => trunk)).toEqual(['main', 'second'])
    const invite = await first.wait('INVITE')
    first.reply(invite, 180)
    await first.wait('CANCEL')
    first.reply(invite, 200, { body: ANSWER_SDP() })
    await first.wait('ACK')
    await first.wait('BYE')
  })

  it('is not dialled when the first said 100 and nothing more', async () => {
    await setup((invite) => first.reply(invite, 100))
    expect(await side.dial({ ringTimeoutMs: 300 }).dialed).toMatchObject({ failed: 'no_answer' })
    await first.wait('CANCEL')
    expect(second.received).toEqual([])
  })
})
