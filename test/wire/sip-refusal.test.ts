import { randomBytes } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import { createIds } from '../../src/core/ids.ts'
import { silentLog } from '../../src/core/log.ts'
import { SourceList } from '../../src/telephony/sip/gate.ts'
import { isRefused } from '../../src/telephony/sip/route.ts'
import type { Endpoint } from '../../src/telephony/sip/transport.ts'
import { createTransport } from '../../src/telephony/sip/transports.ts'
import { ScriptedUas } from '../kit/scripted-uas.ts'

const cleanUps: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

/** Where nothing listens. */
async function closedPort(): Promise<Endpoint> {
  const uas = await ScriptedUas.open()
  const { port } = uas
  uas.close()
  return { host: '127.0.0.1', port }
}

const invite = (branch: string): string =>
  [
    'INVITE sip:x@127.0.0.1 SIP/2.0',
    `Via: SIP/2.0/UDP 127.0.0.1;branch=${branch}`,
    'From: <sip:a@127.0.0.1>;tag=1',
    'To: <sip:x@127.0.0.1>',
    `Call-ID: ${branch}`,
    'CSeq: 1 INVITE',
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n')

describe('a refused INVITE', () => {
  it('is told also after the telling of an earlier one failed', async () => {
    const transport = createTransport({
      clock: systemClock,
      ids: createIds(systemClock, (n) => randomBytes(n)),
      log: silentLog,
      sources: new SourceList(),
      host: '127.0.0.1',
      port: 0,
      tls: new Map(),
      needsTcp: false,
    })
    cleanUps.push(() => transport.stop())
    const told: Endpoint[] = []
    await transport.start({
      onMessage() {},
      onRefused(to) {
        told.push(to)
        if (told.length === 1) throw new Error('nobody wants to hear it')
      },
    })
    const [first, second] = [await closedPort(), await closedPort()]
    await transport.send({ text: invite('z9hG4bKone'), to: first })
    await expect.poll(() => told).toEqual([first])
    await Bun.sleep(50)
    await transport.send({ text: invite('z9hG4bKtwo'), to: second })
    await expect.poll(() => told).toEqual([first, second])
  })
})

describe('asking whether somebody listens', () => {
  it('closes its socket also when nothing can be sent', async () => {
    const real = Bun.udpSocket
    cleanUps.push(() => {
      Bun.udpSocket = real
    })
    let socket: { closed: boolean } | undefined
    Bun.udpSocket = (async (options: Parameters<typeof real>[0]) => {
      const made = await real(options)
      made.send = () => {
        throw new Error('EPERM')
      }
      socket = made
      return made
    }) as typeof real
    expect(await isRefused(systemClock, await closedPort())).toBe(false)
    expect(socket?.closed).toBe(true)
  })
})
