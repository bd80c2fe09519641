import { connect } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { headersOf, readWire } from '../../src/telephony/sip/wire-message.ts'
import { hardDatagrams, hardMessages } from '../kit/adversary.ts'
import { ScriptedUas } from '../kit/scripted-uas.ts'
import { type SipSide, startSipSide, trunkOptions } from '../kit/sip-side.ts'
import { until } from '../kit/until.ts'

const ends: (() => unknown)[] = []
const broken: unknown[] = []
const note = (error: unknown): void => void broken.push(error)

interface Setup {
  uas: ScriptedUas
  side: SipSide
  us: { host: string; port: number }
  /** The calls that began; each is refused with 404. */
  calls: unknown[]
}

/** `taken`: somebody takes calls, and knows none of the numbers. */
async function setup(o: { taken: boolean }): Promise<Setup> {
  process.on('uncaughtException', note)
  process.on('unhandledRejection', note)
  const uas = await ScriptedUas.open()
  const calls: unknown[] = []
  const onCall = (call: { reject(status: number): void }): void => {
    calls.push(call)
    call.reject(404)
  }
  const side = await startSipSide([trunkOptions(uas.port)], {
    rate: { perSecond: 1e6, burst: 1e6 },
    ...(o.taken ? { onCall } : {}),
  })
  ends.push(
    () => uas.close(),
    () => side.telephony.stop(),
  )
  return { uas, side, us: { host: '127.0.0.1', port: side.telephony.localPort() }, calls }
}

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
  process.off('uncaughtException', note)
  process.off('unhandledRejection', note)
  expect(broken.splice(0)).toEqual([])
})

let asked = 0

function options(protocol: string): { id: string; text: string } {
  const id = `good-${++asked}`
  const lines = [
    'OPTIONS sip:x@127.0.0.1 SIP/2.0',
    `Via: SIP/2.0/${protocol} 127.0.0.1:5999;branch=z9hG4bK${id};rport`,
    'From: <sip:x@127.0.0.1>;tag=1',
    'To: <sip:x@127.0.0.1>',
    `Call-ID: ${id}`,
    'CSeq: 1 OPTIONS',
    'Content-Length: 0',
  ]
  return { id, text: `${lines.join('\r\n')}\r\n\r\n` }
}

/** What came back to a datagram before the answer to a good one sent after it. */
async function byDatagram({ uas, us }: Setup, text: string) {
  uas.received.length = 0
  const good = options('UDP')
  // Answers go to the port of its Via, where there is no rport: so that they come here, it asks for rport.
  uas.send(text.replace(/(branch ?= ?[^\s;,]*)/, '$1;rport'), us)
  await Bun.sleep(5)
  uas.send(good.text, us)
  await until(() => uas.received.some(({ message }) => message.callId === good.id))
  return uas.received.filter(({ message }) => message.callId !== good.id)
}

async function byStream({ us }: Setup, text: string): Promise<number[]> {
  const good = options('TCP')
  const socket = connect(us)
  let came = ''
  let closed = false
  socket.on('data', (bytes: Buffer) => {
    came += bytes.toString('latin1')
  })
  socket.on('error', () => {})
  socket.on('close', () => {
    closed = true
  })
  socket.write(Buffer.from(text, 'latin1'))
  await Bun.sleep(5)
  socket.write(good.text)
  await until(() => closed || came.includes(good.id))
  socket.destroy()
  const statuses = [...came.matchAll(/^SIP\/2\.0 (\d+)[\s\S]*?^Call-ID: (.*)\r$/gm)]
  return statuses.filter((match) => match[2] !== good.id).map((match) => Number(match[1]))
}

for (const taken of [false, true]) {
  describe(`hard messages ${taken ? 'where somebody takes calls' : 'where nobody takes calls'}`, () => {
    it.each([...hardMessages('UDP'), ...hardDatagrams()])('over UDP: $name', async (hard) => {
      const all = await setup({ taken })
      const came = (await byDatagram(all, hard.text)).filter(({ message }) => message.status >= 200)
      expect(came.length).toBeLessThanOrEqual(1)
      const status = came[0]?.message.status ?? 0
      expect(hard.answer).toContain(status)
      // Who takes calls hears of those alone that a call can be made of.
      if (hard.calls) expect(status).toBe(taken ? 404 : 403)
      expect(all.calls.length).toBe(status === 404 ? 1 : 0)
      expect(all.uas.received.filter(({ message }) => message.kind === 'request')).toEqual([])
    })

    it.each(hardMessages('TCP'))('over TCP: $name', async (hard) => {
      const all = await setup({ taken })
      const final = (await byStream(all, hard.text)).filter((status) => status >= 200)
      expect(final.length).toBeLessThanOrEqual(1)
      expect(hard.answer).toContain(final[0] ?? 0)
    })
  })
}

describe('the answer to a hard message', () => {
  const named = (name: string): string =>
    [...hardMessages('UDP'), ...hardDatagrams()].find((hard) => hard.name === name)?.text ?? ''

  it.each(['wsinv', 'badvers', 'scalar02', 'unkscm', 'transports'])(
    'to %s copies Vias, From, Call-ID and CSeq',
    async (name) => {
      const all = await setup({ taken: false })
      const text = named(name)
      const asked = readWire(text)
      const [reply] = await byDatagram(all, text)
      if (!asked || !reply) throw new Error('nothing came')
      for (const copied of ['from', 'call-id', 'cseq'])
        expect(headersOf(reply.message, copied), copied).toEqual(headersOf(asked, copied))
      expect(headersOf(reply.message, 'via').length).toBe(
        headersOf(asked, 'via').join(',').split('SIP').length - 1,
      )
      expect(reply.message.toTag).toBeDefined()
    },
  )

  it('to bext01 names all that is not supported, to invut what is taken', async () => {
    const all = await setup({ taken: true })
    const [bad] = await byDatagram(all, named('bext01'))
    expect(bad?.text).toContain('Unsupported: nothingSupportsThis, nothingSupportsThisEither\r\n')
    const [type] = await byDatagram(all, named('invut'))
    expect(type?.text).toContain('Accept: application/sdp\r\n')
  })
})
