import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import {
  describeWithPeers,
  freePort,
  type Peer,
  scratchDirectory,
  startPeer,
  untilBound,
} from '../kit/peers.ts'
import { type SipSide, startSipSide, trunkOptions } from '../kit/sip-side.ts'

const ends: (() => unknown)[] = []

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

/** sipp plays `scenario` once, on a free port; our SIP side has it as its trunk. */
async function setup(
  scenario: string,
  o: { status?: number; loseFirst?: boolean } = {},
): Promise<{ sipp: Peer; side: SipSide; port: number }> {
  const port = await freePort()
  const scratch = scratchDirectory()
  const template = readFileSync(join(import.meta.dirname, 'sipp', `${scenario}.xml`), 'utf8')
  const file = join(scratch.path, 'scenario.xml')
  writeFileSync(file, template.replaceAll('STATUS', String(o.status ?? '')))
  const media = String(await freePort())
  const sipp = startPeer(
    'sipp',
    ['-sf', file, '-i', '127.0.0.1', '-p', String(port), '-mi', '127.0.0.1', '-mp', media].concat([
      '-m',
      '1',
      '-nostdin',
      '-timeout',
      '20s',
      '-trace_err',
      '-error_file',
      'errors.log',
    ]),
    scratch.path,
  )
  ends.push(
    () => scratch.remove(),
    () => sipp.stop(),
  )
  await untilBound(port)
  const trunkPort = o.loseFirst ? await startLossyRelay(port) : port
  const side = await startSipSide([trunkOptions(trunkPort)])
  ends.push(() => side.telephony.stop())
  return { sipp, side, port }
}

/** A port that passes datagrams on to `port` and back, all but the first. */
async function startLossyRelay(port: number): Promise<number> {
  let caller = 0
  let passed = 0
  const relay = await Bun.udpSocket({
    hostname: '127.0.0.1',
    port: 0,
    socket: {
      data(socket, data, from) {
        if (from === port) socket.send(data, caller, '127.0.0.1')
        else {
          caller = from
          if (passed++ > 0) socket.send(data, port, '127.0.0.1')
        }
      },
      error() {},
    },
  })
  ends.push(() => relay.close())
  return relay.port
}

describeWithPeers('sipp', ['sipp'], () => {
  it('answers, and we hang up', async () => {
    const { sipp, side } = await setup('answers')
    const call = side.dial()
    const dialed = await call.dialed
    if (!('answered' in dialed)) throw new Error(JSON.stringify(dialed))
    expect(call.rang()).toBe(1)
    expect(side.media.sessions[0]?.agreements[0]).toMatchObject({ codec: 'PCMA', payloadType: 8 })
    await dialed.answered.hangup()
    expect(await dialed.answered.ended).toEqual({ by: 'us' })
    expect(await sipp.exit()).toBe(0)
  })

  it('answers and hangs up itself', async () => {
    const { sipp, side } = await setup('hangs-up')
    const dialed = await side.dial().dialed
    if (!('answered' in dialed)) throw new Error(JSON.stringify(dialed))
    expect(await dialed.answered.ended).toEqual({ by: 'human' })
    expect(await sipp.exit()).toBe(0)
  })

  it.each([
    [486, 'busy'],
    [404, 'rejected'],
  ])('refuses with %i', async (status, failed) => {
    const { sipp, side } = await setup('refuses', { status })
    expect(await side.dial().dialed).toMatchObject({ failed, sipCode: status })
    expect(await sipp.exit()).toBe(0)
  })

  it('does not hear our first INVITE, rings at the second and never answers', async () => {
    const { sipp, side } = await setup('never-answers', { loseFirst: true })
    const call = side.dial({ ringTimeoutMs: 1_500 })
    expect(await call.dialed).toMatchObject({ failed: 'no_answer' })
    expect(call.rang()).toBe(1)
    expect(await sipp.exit()).toBe(0)
  })
})
