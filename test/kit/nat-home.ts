/**
 * The appliance's phone behind NAT, a process of its own: registers, is called, calls, says 440 Hz and measures 880 Hz.
 * Argument: the trunk's options as JSON. Each event is a line of JSON on stdout.
 */
import { systemClock } from '../../src/core/clock.ts'
import { createIds } from '../../src/core/ids.ts'
import { silentLog } from '../../src/core/log.ts'
import { createMedia } from '../../src/telephony/media/worker-media.ts'
import type { TrunkOptions } from '../../src/telephony/trunk-options.ts'
import { startSipSide, trunkOptions } from './sip-side.ts'
import { amplitudeAt, shared, tone } from './tones.ts'

const tell = (event: Record<string, unknown>): void => console.log(JSON.stringify(event))

async function main(): Promise<void> {
  let called = false
  const options = JSON.parse(process.argv[2] ?? '{}') as Partial<TrunkOptions>
  const media = createMedia({
    clock: systemClock,
    log: silentLog,
    ids: createIds(systemClock, (n) => crypto.getRandomValues(new Uint8Array(n))),
    bindHost: '0.0.0.0',
    portRange: [0, 0],
    silenceTimeoutMs: 10_000,
  })
  const side = await startSipSide([trunkOptions(options.port ?? 5060, options)], {
    media,
    sip: { host: '0.0.0.0' },
    onCall: (call) => {
      call.reject(486)
      called = true
    },
  })
  for (let n = 0; n < 100 && side.telephony.stats().trunks[0]?.registered === false; n++)
    await Bun.sleep(50)
  const [probe] = await side.telephony.trunk.probes()
  tell({ is: 'registered', state: probe?.state, reason: probe?.reason })
  for (let n = 0; n < 100 && !called; n++) await Bun.sleep(50)
  tell({ is: 'called', called })
  const dialed = await side.dial().dialed
  if ('answered' in dialed) {
    const { answered: leg } = dialed
    await leg.mouth.enqueue(shared(tone(440, leg.ears.rateHz, { rateHz: leg.ears.rateHz }))).ended
    await Bun.sleep(300)
    const { written, rateHz } = leg.ears
    tell({
      is: 'heard',
      amplitude: amplitudeAt(leg.ears.read(written - rateHz / 2, written), 880, rateHz),
    })
    await leg.hangup()
  } else tell({ is: 'failed', ...dialed })
  await side.telephony.stop()
  await media.stop()
  // Transactions of sip.js live on for half a minute.
  process.exit(0)
}

void main()
