import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { headerOf } from '../../src/telephony/sip/wire-message.ts'
import { ScriptedUas } from '../kit/scripted-uas.ts'
import { type SipSide, startSipSide, trunkOptions } from '../kit/sip-side.ts'

let uas: ScriptedUas
let side: SipSide | undefined

beforeEach(async () => {
  uas = await ScriptedUas.open()
  uas.onMessage = (received) => {
    if (received.message.method === 'INVITE') uas.reply(received, 486)
  }
})

afterEach(async () => {
  await side?.telephony.stop()
  side = undefined
  uas.close()
})

async function dial(publicHost: string): Promise<unknown> {
  side = await startSipSide([trunkOptions(uas.port)], {
    sip: { publicHost },
    lookup: async (host) => {
      if (host !== 'voice.test') throw new Error('ENOTFOUND')
      return [
        { address: '2001:db8::9', family: 6 },
        { address: '192.0.2.9', family: 4 },
      ]
    },
  })
  return side.dial().dialed
}

describe('what we advertise', () => {
  it.each(['192.0.2.9', 'voice.test'])(
    'is an address when it is configured as %s',
    async (host) => {
      await dial(host)
      const { text, message } = await uas.wait('INVITE')
      expect(text).toContain('c=IN IP4 192.0.2.9\r\n')
      expect(headerOf(message, 'contact')).toContain(`@192.0.2.9:${side?.telephony.localPort()}>`)
      expect(headerOf(message, 'via')).toContain('UDP 192.0.2.9:')
      expect(text).not.toContain('voice.test')
    },
  )

  it('keeps calls from leaving while its name does not resolve, and says so', async () => {
    expect(await dial('lost.test')).toEqual({
      failed: 'trunk_error',
      sipCode: null,
      reason: 'sip.public_host: looking up lost.test: ENOTFOUND',
    })
    expect(uas.received).toEqual([])
  })
})
