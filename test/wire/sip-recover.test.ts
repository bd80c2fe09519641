import { join } from 'node:path'
import * as Core from 'sip.js/lib/core/index.js'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { SipState } from '../../src/calls/ports.ts'
import { headerOf } from '../../src/telephony/sip/wire-message.ts'
import { ANSWER_SDP, type Received, ScriptedUas } from '../kit/scripted-uas.ts'
import { type SipSide, startSipSide, trunkOptions } from '../kit/sip-side.ts'

let uas: ScriptedUas
let sides: SipSide[] = []

beforeEach(async () => {
  uas = await ScriptedUas.open()
})

afterEach(async () => {
  for (const one of sides) await one.telephony.stop()
  sides = []
  uas.close()
})

/** A SIP side on `port`, or on a free one. */
async function begin(port = 0): Promise<SipSide> {
  const options = trunkOptions(uas.port, { username: 'alice', password: 's3cret' })
  const side = await startSipSide([options], { sip: { port } })
  sides.push(side)
  return side
}

/**
 * A process of its own that calls the UAS and is killed when it has written `count` states: what it stored is all
 * that is left of it.
 */
async function crash(count: number): Promise<{ port: number; state: SipState }> {
  const script = join(import.meta.dirname, '../kit/crashing-caller.ts')
  const child = Bun.spawn([process.execPath, script, String(uas.port)], {
    stdout: 'pipe',
    stderr: 'inherit',
  })
  const lines: string[] = []
  let text = ''
  for await (const chunk of child.stdout) {
    text += Buffer.from(chunk).toString()
    lines.splice(0, lines.length, ...text.split('\n').slice(0, -1))
    if (lines.length >= count) break
  }
  // What it stored last has to be followed by its effect on the wire.
  await Bun.sleep(50)
  child.kill('SIGKILL')
  await child.exited
  const state = JSON.parse(lines[count - 1] ?? 'null') as SipState
  return { port: state.localPort as number, state }
}

describe('recovery of an INVITE without an answer', () => {
  async function leftRinging(): Promise<{ invite: Received; port: number; state: SipState }> {
    uas.onMessage = (received) => {
      if (received.message.method === 'INVITE') uas.reply(received, 180)
    }
    const left = await crash(1)
    const invite = await uas.wait('INVITE')
    uas.onMessage = () => {}
    return { invite, ...left }
  }

  it('cancels it with the same branch from the same port, and acknowledges the 487', async () => {
    const { invite, port, state } = await leftRinging()
    const side = await begin(port)
    uas.onMessage = (received) => {
      if (received.message.method !== 'CANCEL') return
      uas.reply(received, 200)
      uas.reply(invite, 487)
    }
    await side.telephony.trunk.recover(state)
    const cancel = await uas.wait('CANCEL')
    expect(cancel.from.port).toBe(port)
    expect(headerOf(cancel.message, 'via')).toBe(headerOf(invite.message, 'via'))
    expect(cancel.message.callId).toBe(invite.message.callId)
    expect(cancel.message.cseq?.number).toBe(invite.message.cseq?.number)
    expect(cancel.message.requestUri).toBe(invite.message.requestUri)
    expect(cancel.message.fromTag).toBe(invite.message.fromTag)
    const ack = await uas.wait('ACK')
    expect(ack.message.via?.branch).toBe(invite.message.via?.branch)
    expect(ack.message.toTag).toBe('uas')
  })

  it('borrows the old port when it listens on another now', async () => {
    const { invite, port, state } = await leftRinging()
    const side = await begin()
    expect(side.telephony.localPort()).not.toBe(port)
    uas.onMessage = (received) => {
      if (received.message.method !== 'CANCEL') return
      uas.reply(received, 200)
      uas.reply(invite, 487)
    }
    await side.telephony.trunk.recover(state)
    expect((await uas.wait('CANCEL')).from.port).toBe(port)
    await uas.wait('ACK')
  })

  it('acknowledges and hangs up when it was answered meanwhile', async () => {
    const { invite, port, state } = await leftRinging()
    const side = await begin(port)
    uas.onMessage = (received) => {
      const { method, kind } = received.message
      if (kind !== 'request') return
      if (method === 'CANCEL') {
        uas.reply(received, 481)
        uas.reply(invite, 200, {
          body: ANSWER_SDP(),
          headers: [
            `Record-Route: <sip:127.0.0.1:${uas.port};lr;n=2>`,
            `Record-Route: <sip:127.0.0.1:${uas.port};lr;n=1>`,
          ],
        })
      }
      if (method === 'BYE') uas.reply(received, 200)
    }
    await side.telephony.trunk.recover(state)
    const bye = await uas.wait('BYE')
    expect((await uas.wait('ACK')).message.requestUri).toBe(`sip:uas@127.0.0.1:${uas.port}`)
    expect(bye.message.toTag).toBe('uas')
    expect(bye.message.cseq?.number).toBeGreaterThan(2)
    const routes = bye.message.headers.filter(({ name }) => name === 'route')
    expect(routes.map(({ value }) => value.at(-2))).toEqual(['1', '2'])
    expect(uas.all('BYE').length).toBe(1)
  })

  it('gives up after a few seconds when nobody answers, having sent CANCEL again', async () => {
    const { port, state } = await leftRinging()
    const side = await begin(port)
    uas.onMessage = () => {}
    const began = performance.now()
    await side.telephony.trunk.recover(state)
    const took = performance.now() - began
    expect(took).toBeGreaterThan(3_500)
    expect(took).toBeLessThan(6_000)
    expect(uas.all('CANCEL').length).toBeGreaterThan(2)
  })
})

describe('recovery of a dialog', () => {
  async function leftTalking(): Promise<{ invite: Received; port: number; state: SipState }> {
    uas.onMessage = (received) => {
      if (received.message.method === 'INVITE') uas.reply(received, 200, { body: ANSWER_SDP() })
    }
    const left = await crash(2)
    const invite = await uas.wait('INVITE')
    await uas.wait('ACK')
    return { invite, ...left }
  }

  it('sends BYE with the stored tags and the next CSeq', async () => {
    const { invite, port, state } = await leftTalking()
    expect(state.phase).toBe('dialog')
    const side = await begin(port)
    uas.onMessage = (received) => {
      if (received.message.method === 'BYE') uas.reply(received, 200)
    }
    await side.telephony.trunk.recover(state)
    const bye = await uas.wait('BYE')
    expect(bye.message.callId).toBe(invite.message.callId)
    expect(bye.message.fromTag).toBe(invite.message.fromTag)
    expect(bye.message.toTag).toBe('uas')
    expect(bye.message.cseq?.number).toBeGreaterThan(invite.message.cseq?.number ?? 0)
    expect(bye.message.requestUri).toBe(`sip:uas@127.0.0.1:${uas.port}`)
  })

  it('answers a challenge of its BYE once', async () => {
    const { port, state } = await leftTalking()
    const side = await begin(port)
    uas.onMessage = (received) => {
      if (received.message.method === 'BYE')
        uas.reply(received, 407, { headers: ['Proxy-Authenticate: Digest realm="r", nonce="n"'] })
    }
    await side.telephony.trunk.recover(state)
    const [first, second] = uas.all('BYE')
    expect(uas.all('BYE').length).toBe(2)
    expect(second?.message.cseq?.number).toBe((first?.message.cseq?.number ?? 0) + 1)
    expect(headerOf(second?.message as never, 'proxy-authorization')).toContain('username="alice"')
  })

  it('refuses what it did not store', async () => {
    const side = await begin()
    await expect(
      side.telephony.trunk.recover({ trunk: 'main', phase: 'dialog', callId: 'x' }),
    ).rejects.toThrow('cannot be read')
    await expect(
      side.telephony.trunk.recover({ trunk: 'main', phase: 'dialog', callId: 'x\r\nEvil: 1' }),
    ).rejects.toThrow('cannot be read')
  })
})

describe('a trunk that wakes up after we gave up', () => {
  it('has its late ringing canceled and its late answer hung up', async () => {
    const timers = Core.Timers
    const former = timers.TIMER_B
    Object.assign(timers, { TIMER_B: 400 })
    const side = await begin()
    const dialed = await side.dial().dialed
    Object.assign(timers, { TIMER_B: former })
    expect(dialed).toEqual({
      failed: 'trunk_error',
      sipCode: null,
      reason: 'no answer at all to the INVITE',
    })
    const invite = await uas.wait('INVITE')
    await Bun.sleep(700)
    expect(uas.all('INVITE').length).toBe(1)
    uas.reply(invite, 180)
    await uas.wait('CANCEL')
    uas.onMessage = (received) => {
      if (received.message.method === 'BYE') uas.reply(received, 200)
    }
    uas.reply(invite, 200, { body: ANSWER_SDP() })
    await uas.wait('ACK')
    await uas.wait('BYE')
  })
})
