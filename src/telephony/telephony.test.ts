import { describe, expect, it } from 'vitest'
import { FakeMedia } from '../../test/kit/fake-media.ts'
import { SimClock } from '../../test/kit/sim-clock.ts'
import { trunkOptions } from '../../test/kit/sip-side.ts'
import { createIds } from '../core/ids.ts'
import { silentLog } from '../core/log.ts'
import { createTelephony, type Telephony } from './telephony.ts'
import type { TrunkOptions } from './trunk-options.ts'

function setup(o: Partial<TrunkOptions> = {}): Telephony {
  const clock = new SimClock()
  return createTelephony({
    clock,
    ids: createIds(clock, (n) => new Uint8Array(n)),
    log: silentLog,
    media: new FakeMedia(),
    options: { host: '127.0.0.1', port: 0, publicHost: null, trunks: [trunkOptions(5060, o)] },
  })
}

describe('createTelephony', () => {
  it.each([
    [{ caFile: '/nowhere/ca.pem' }, 'reading ca_file /nowhere/ca.pem'],
    [{ caFile: import.meta.filename }, 'it holds no PEM certificate'],
    [{ codecs: [] }, 'codecs is empty'],
    [{ host: 'evil\r\nX: y' }, 'is not a host'],
    [{ domain: 'a b' }, 'is not a host'],
    [{ register: true }, 'register needs a username'],
    [{ allowedSources: ['everybody'] }, "'everybody' is neither"],
  ] as [Partial<TrunkOptions>, string][])('refuses %j', (options, reason) => {
    expect(() => setup(options)).toThrow(reason)
  })

  it('warns of keys that anybody on the way can read', () => {
    const warned: unknown[] = []
    const clock = new SimClock()
    const make = (o: Partial<TrunkOptions>): unknown =>
      createTelephony({
        clock,
        ids: createIds(clock, (n) => new Uint8Array(n)),
        log: { ...silentLog, warn: (message, fields) => warned.push([message, fields]) },
        media: new FakeMedia(),
        options: { host: '127.0.0.1', port: 0, publicHost: null, trunks: [trunkOptions(5060, o)] },
      })
    make({ srtp: 'off' })
    make({ srtp: 'required', transport: 'tls' })
    expect(warned).toEqual([])
    make({ srtp: 'optional', transport: 'udp' })
    expect(warned).toEqual([
      ['keys of encrypted sound travel unencrypted: use transport = "tls"', { trunk: 'main' }],
    ])
  })

  it('can be stopped without a start', async () => {
    const telephony = setup()
    await telephony.stop()
    expect(telephony.localPort()).toBe(0)
  })

  it('says which address it could not listen on', async () => {
    const first = setup()
    await first.start()
    const clock = new SimClock()
    const second = createTelephony({
      clock,
      ids: createIds(clock, (n) => new Uint8Array(n)),
      log: silentLog,
      media: new FakeMedia(),
      options: { host: '127.0.0.1', port: first.localPort(), publicHost: null, trunks: [] },
    })
    await expect(second.start()).rejects.toThrow(
      `listening for SIP on udp 127.0.0.1:${first.localPort()}: another program uses that port: stop it, or set sip.port`,
    )
    await first.stop()
    await first.stop()
  })
})
