/**
 * 20,000 SIP messages with bytes changed, cut and put in at random, by a fixed seed, sent to the signalling of a trunk
 * from the trunk's own address: what nobody caught is counted, and afterwards OPTIONS is asked and a call is dialled.
 * With BENCH_JSON it prints `MutatedFound`.
 */
import { ScriptedUas } from '../../test/kit/scripted-uas.ts'
import { randomSource } from '../../test/kit/seeded.ts'
import { startSipSide, trunkOptions } from '../../test/kit/sip-side.ts'
import { tortureMessages } from '../../test/kit/torture.ts'

const MESSAGES = 20_000
const SEED = 3261
const METHODS = ['INVITE', 'OPTIONS', 'NOTIFY', 'REFER', 'CANCEL', 'ACK', 'INFO', 'PRACK', 'UPDATE']

export interface MutatedFound {
  messages: number
  exceptions: number
  /** Of two: OPTIONS, and a call that is refused as busy. */
  answers: number
}

async function main(): Promise<void> {
  const thrown: unknown[] = []
  process.on('uncaughtException', (error) => thrown.push(error))
  process.on('unhandledRejection', (error) => thrown.push(error))
  const uas = await ScriptedUas.open()
  // The point is the parsers, not the rate: everything is let through.
  const rate = { perSecond: 1e6, burst: 1e6 }
  const side = await startSipSide([trunkOptions(uas.port)], { rate })
  const us = { host: '127.0.0.1', port: side.telephony.localPort() }
  await flood(uas, us)
  const { received } = side.telephony.stats()
  // What the socket dropped proves nothing.
  if (received < 0.75 * MESSAGES) throw new Error(`only ${received} of ${MESSAGES} messages came`)
  const answers = Number(await answersOptions(uas, us)) + Number(await dials(uas, side))
  const found: MutatedFound = { messages: MESSAGES, exceptions: thrown.length, answers }
  if (process.env.BENCH_JSON !== undefined) console.log(JSON.stringify(found))
  else console.log(`${MESSAGES} sent, ${thrown.length} exceptions, ${answers} of 2 answered after`)
  for (const error of thrown.slice(0, 5)) console.error(error)
  await side.telephony.stop()
  uas.close()
  process.exit(0)
}

async function flood(uas: ScriptedUas, us: { host: string; port: number }): Promise<void> {
  const plain = METHODS.map((method) => request(uas, method, 'seed'))
  const seeds = [...plain, ...tortureMessages('UDP').map(({ text }) => text)]
  const random = randomSource(SEED)
  const pick = (n: number): number => Math.floor(random() * n)
  for (let n = 0; n < MESSAGES; n++) {
    const bytes = Buffer.from(seeds[n % seeds.length] ?? '', 'latin1')
    for (let m = pick(7); m >= 0; m--) bytes[pick(bytes.length)] = pick(256)
    uas.send(pick(5) > 0 ? bytes : bytes.subarray(0, pick(bytes.length)), us)
    // The receiver shares this thread: without a pause its socket would overflow.
    if (n % 50 === 0) await Bun.sleep(1)
  }
  await Bun.sleep(200)
}

async function answersOptions(
  uas: ScriptedUas,
  us: { host: string; port: number },
): Promise<boolean> {
  uas.received.length = 0
  uas.send(request(uas, 'OPTIONS', 'still'), us)
  const answer = await uas.wait('SIP 200', { withinMs: 2_000 }).catch(() => null)
  return answer !== null
}

async function dials(
  uas: ScriptedUas,
  side: Awaited<ReturnType<typeof startSipSide>>,
): Promise<boolean> {
  uas.onMessage = (received) => {
    if (received.message.method === 'INVITE') uas.reply(received, 486)
  }
  const dialed = await side.dial().dialed
  return 'failed' in dialed && dialed.failed === 'busy'
}

function request(uas: ScriptedUas, method: string, id: string): string {
  const lines = [
    `${method} sip:x@127.0.0.1 SIP/2.0`,
    `Via: SIP/2.0/UDP 127.0.0.1:${uas.port};branch=z9hG4bK${id}${method};rport`,
    'From: <sip:x@127.0.0.1>;tag=1',
    'To: <sip:x@127.0.0.1>',
    `Call-ID: ${id}${method}`,
    `CSeq: 1 ${method}`,
    'Max-Forwards: 70',
    'Content-Length: 0',
  ]
  return `${lines.join('\r\n')}\r\n\r\n`
}

if (import.meta.main)
  main().catch((error: unknown) => {
    console.error(error)
    process.exit(1)
  })
