import { chmodSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { rms } from '../../../src/core/pcm.ts'
import { Appliance, CALLEE } from '../../kit/appliance.ts'
import { startBaresip } from '../../kit/baresip.ts'
import { endAfterEach } from '../../kit/end-after-each.ts'
import { describeWithPeers } from '../../kit/peers.ts'

const end = endAfterEach()

async function setup(codecs: readonly string[]) {
  const voice = new Int16Array(8000 * 30)
  const baresip = await startBaresip({ number: CALLEE, voice, modules: ['opus.so'] })
  end(() => baresip.remove())
  end(() => baresip.stop())
  const appliance = await Appliance.create({ trunk: { port: baresip.port, codecs } })
  end(() => appliance.remove())
  return { appliance, baresip }
}

async function speaks(appliance: Appliance, codec: string): Promise<void> {
  const id = await appliance.call({ firstMessage: 'Hello, this is the appliance.' })
  await Bun.sleep(5000)
  await appliance.request('POST', `/api/v1/calls/${id}/cancel`)
  const call = await appliance.ended(id, 20_000)
  expect([codec, call.transcript[0]?.text]).toEqual([codec, 'Hello, this is the appliance.'])
}

describeWithPeers('the executable and Opus', ['baresip'], () => {
  it('speaks it from nothing but its data directory, in an empty environment', async () => {
    const { appliance, baresip } = await setup(['opus'])
    const before = appliance.filesOutside()
    await appliance.start({})
    await speaks(appliance, 'opus')
    await baresip.stop()
    expect(baresip.output()).toContain('opus')
    expect(rms(baresip.heard().subarray(0, 8000 * 3))).toBeGreaterThan(300)
    expect(appliance.filesOutside()).toEqual(before)
    const runtime = join(appliance.dataDir, 'runtime')
    const [folder] = readdirSync(runtime).filter((name) => name.startsWith('opus-'))
    expect(readdirSync(join(runtime, folder ?? ''))).toEqual(['opus.node'])
  })

  it('does without where it cannot be loaded, says so once, and calls go on', async () => {
    const { appliance } = await setup(['opus', 'PCMU'])
    // A file stands where its directory would be made.
    const runtime = join(appliance.dataDir, 'runtime')
    mkdirSync(runtime, { recursive: true, mode: 0o700 })
    chmodSync(runtime, 0o700)
    const name = 'opus-10f6cba65c439d44'
    await Bun.write(join(runtime, name), '')
    await Bun.write(join(runtime, 'opus-0cefbe9d6bfef1c2'), '')
    await appliance.start()
    await speaks(appliance, 'PCMU')
    await speaks(appliance, 'PCMU')
    expect(appliance.log.match(/Opus is not offered/g)).toHaveLength(1)
  })
})
