import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import { ScriptedUas } from '../kit/scripted-uas.ts'
import { type SipSide, startSipSide, trunkOptions } from '../kit/sip-side.ts'

const HOUR_MS = 3_600_000
let uas: ScriptedUas
let side: SipSide | undefined
/** How far the machine's clock has been set. */
let set: number

beforeEach(async () => {
  set = 0
  uas = await ScriptedUas.open()
})

afterEach(async () => {
  uas.onMessage = (received) => uas.reply(received, 200)
  await side?.telephony.stop()
  uas.close()
})

const clock = { ...systemClock, now: () => systemClock.now() + set }

describe('a machine whose clock is set', () => {
  it.each([
    ['back', -HOUR_MS],
    ['forward', HOUR_MS],
  ])('%s an hour sends its INVITE again as before', async (_way, ms) => {
    side = await startSipSide([trunkOptions(uas.port)], { clock })
    const call = side.dial()
    const first = await uas.wait('INVITE')
    set = ms
    const third = await uas.wait('INVITE', { n: 3, withinMs: 2_500 })
    expect(third.at - first.at).toBeGreaterThan(1_300)
    uas.reply(third, 486)
    await call.dialed
  })

  it('forward an hour stays registered', async () => {
    uas.onMessage = (received) => uas.reply(received, 200)
    side = await startSipSide(
      [trunkOptions(uas.port, { register: true, username: 'a', password: 'b' })],
      { clock },
    )
    const probe = async () => (await side?.telephony.trunk.probes())?.[0]?.state
    await expect.poll(probe).toBe('ready')
    set = HOUR_MS
    expect(await probe()).toBe('ready')
  })
})
