import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { cleanUpCli, setupCli } from '../../test/kit/cli.ts'
import { AppError } from '../core/errors.ts'

afterEach(cleanUpCli)

/** Lets every settled promise run on. */
const settle = (): Promise<void> => new Promise((done) => setImmediate(done))

describe('serve', () => {
  it('tells its url once it answers, runs until a signal, stops and exits with 0', async () => {
    const { run, terminal, appliance } = setupCli()
    const code = run('serve', '--port', '0', '--host', '127.0.0.2')
    await settle()
    expect(appliance.served[0]?.http).toMatchObject({ port: 0, host: '127.0.0.2' })
    expect(appliance.logged).toEqual([
      { level: 'info', message: 'serving', fields: { url: 'http://127.0.0.1:3000' } },
    ])
    terminal.signal()
    expect(await code).toBe(0)
    expect(appliance.logged.map(({ message }) => message)).toEqual([
      'serving',
      'stopping',
      'stopped',
    ])
    expect(terminal.exits).toEqual([])
  })

  it('tells the commands beside it what it read', async () => {
    const { run, terminal, appliance, directory } = setupCli()
    writeFileSync(join(directory, 'mine.toml'), '[sip]\nport = 5071\n')
    const code = run('--config', 'mine.toml', 'serve', '--port', '0')
    await settle()
    expect(appliance.told).toEqual([
      {
        file: join(directory, 'mine.toml'),
        listens: {
          ...{ 'http.host': '127.0.0.1', 'http.port': 0 },
          ...{ 'sip.host': '0.0.0.0', 'sip.port': 5071 },
        },
      },
    ])
    terminal.signal()
    await code
  })

  it('remembers a signal that comes while it starts', async () => {
    const { run, terminal, appliance } = setupCli()
    const { serve } = appliance
    appliance.serve = (config, o) => {
      terminal.signal()
      return serve(config, o)
    }
    expect(await run('serve')).toBe(0)
    expect(appliance.logged.at(-1)?.message).toBe('stopped')
  })

  it('exits at once on the second signal', async () => {
    const { run, terminal, appliance } = setupCli()
    appliance.serve = async () => ({
      url: 'u',
      log: { debug() {}, info() {}, warn() {}, error() {} },
      stop: () => new Promise(() => undefined),
    })
    void run('serve')
    await settle()
    terminal.signal()
    terminal.signal()
    expect(terminal.exits).toEqual([1])
  })

  it('exits with 1 when stopping fails or takes too long', async () => {
    for (const stop of [
      () => Promise.reject(new Error('no')),
      () => new Promise<void>(() => undefined),
    ]) {
      const { run, terminal, appliance } = setupCli()
      const { serve } = appliance
      appliance.serve = async (config, o) => ({ ...(await serve(config, o)), stop })
      terminal.sleep = async () => {
        await settle()
      }
      const code = run('serve')
      await settle()
      terminal.signal()
      expect(await code).toBe(1)
      expect(appliance.logged.at(-1)?.level).toBe('error')
    }
  })

  it('on a data directory that another server holds exits with 1 and says so', async () => {
    const { run, terminal, appliance } = setupCli()
    appliance.serve = () => Promise.reject(new AppError('conflict', 'another server is running'))
    expect(await run('serve')).toBe(1)
    expect(terminal.errLines).toEqual(['landline: another server is running'])
  })

  it('outlives what nothing caught, and tells it', async () => {
    const { run, terminal, appliance } = setupCli()
    const code = run('serve')
    await settle()
    const error = new Error('boom')
    terminal.fault(error)
    expect(appliance.logged.at(-1)).toMatchObject({ level: 'error', fields: { error } })
    terminal.signal()
    expect(await code).toBe(0)
  })
})
