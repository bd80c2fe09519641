import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { parse } from '../test/kit/config.ts'
import { serve } from './appliance.ts'
import { silentLog } from './core/log.ts'
import { lockInstance } from './storage/instance-lock.ts'

const roots: string[] = []
afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true })
})

function setup(settings: Record<string, string> = {}) {
  const root = mkdtempSync(join(tmpdir(), 'landline-'))
  roots.push(root)
  const dataDir = join(root, 'data')
  const env = {
    LANDLINE_DATA_DIR: dataDir,
    LANDLINE_HTTP_PORT: '0',
    LANDLINE_SIP_HOST: '127.0.0.1',
    LANDLINE_SIP_PORT: '0',
    ...settings,
  }
  return { root, dataDir, config: parse({ env }).config }
}

/** The lock is free again, and the database was closed: its log is in it. */
function expectLeft(dataDir: string): void {
  lockInstance(dataDir, silentLog).release()
  const log = join(dataDir, 'landline.db-wal')
  expect(existsSync(log) ? statSync(log).size : 0).toBe(0)
}

describe('a server', () => {
  it('that cannot be put together closes its database and frees its directory', async () => {
    const { root, dataDir, config } = setup()
    config.http.tlsCertFile = join(root, 'none.pem')
    config.http.tlsKeyFile = join(root, 'none.pem')
    await expect(serve(config, silentLog)).rejects.toThrow('none.pem')
    expectLeft(dataDir)
  })

  it('that cannot listen closes its database and frees its directory', async () => {
    const { dataDir, config } = setup({ LANDLINE_HTTP_HOST: '203.0.113.7' })
    await expect(serve(config, silentLog)).rejects.toThrow('203.0.113.7')
    expectLeft(dataDir)
  })

  it('that stops does so at once when nothing goes on, and twice is as good as once', async () => {
    const { dataDir, config } = setup()
    const running = await serve(config, silentLog)
    expect((await fetch(`${running.url}/healthz`)).status).toBe(200)
    const from = performance.now()
    await Promise.all([running.stop(), running.stop()])
    expect(performance.now() - from).toBeLessThan(5000)
    expectLeft(dataDir)
  })
})
