import { afterEach, describe, expect, it } from 'vitest'
import { type CliSetup, cleanUpCli, setupCli } from '../../test/kit/cli.ts'
import type { Probe } from '../core/probe.ts'

afterEach(cleanUpCli)

function setup(probes: Probe[], readyz?: () => Response): CliSetup {
  const cli = setupCli()
  cli.appliance.probes = async () => probes
  if (readyz) cli.terminal.fetch = (async () => readyz()) as unknown as typeof fetch
  return cli
}

const DATABASE: Probe = { name: 'database', state: 'ready', reason: '/data/landline.db' }
const TRUNK: Probe = {
  name: 'trunk',
  state: 'missing',
  reason: 'none is configured',
  mend: 'add [[sip.trunks]] to landline.toml',
}

describe('doctor', () => {
  it('is content without a running server', async () => {
    const { run, terminal } = setup([DATABASE])
    expect(await run('doctor')).toBe(0)
    expect(terminal.outLines).toEqual([
      'ready    database: /data/landline.db',
      'server: none answers at http://127.0.0.1:3000 (start it: landline serve)',
      'All is ready.',
    ])
  })

  it('names what is missing with what mends it, and exits with 1', async () => {
    const { run, terminal } = setup([DATABASE, TRUNK])
    expect(await run('doctor')).toBe(1)
    expect(terminal.outLines.slice(1, 3)).toEqual([
      'missing  trunk: none is configured',
      '         mend: add [[sip.trunks]] to landline.toml',
    ])
    expect(terminal.outLines.at(-1)).toBe('Not all is ready: see above.')
  })

  it('asks a running server what it says of itself', async () => {
    const away: Probe = { name: 'trunk main', state: 'away', reason: 'registration: 403' }
    const parts = [away, { name: 5 }, 'junk']
    const cli = setup([DATABASE], () => Response.json({ ready: false, parts }, { status: 503 }))
    expect(await cli.run('doctor', '--json')).toBe(1)
    expect(cli.json()).toEqual({
      ok: false,
      server: 'not ready at http://127.0.0.1:3000',
      checks: [DATABASE, { ...away, name: 'server: trunk main' }],
    })
  })

  it('tells a ready server', async () => {
    const { run, terminal } = setup([DATABASE], () => Response.json({ parts: [DATABASE] }))
    expect(await run('doctor')).toBe(0)
    expect(terminal.outLines).toContain('server: ready at http://127.0.0.1:3000')
    expect(terminal.outLines).toContain('ready    server: database: /data/landline.db')
  })

  it('lists beside a running server only what that does not report', async () => {
    const cli = setup([{ ...DATABASE, state: 'away' }, TRUNK], () =>
      Response.json({ parts: [DATABASE] }),
    )
    expect(await cli.run('doctor', '--json')).toBe(1)
    expect(cli.json()).toMatchObject({ checks: [TRUNK, { ...DATABASE, name: 'server: database' }] })
  })

  it('tells a server that is not ready and does not say why, and one that hangs', async () => {
    expect(await setup([DATABASE], () => new Response('x', { status: 503 })).run('doctor')).toBe(1)
    const hung = setup([DATABASE], () => {
      throw new DOMException('late', 'TimeoutError')
    })
    expect(await hung.run('doctor')).toBe(1)
    expect(hung.terminal.outLines.join('\n')).toMatch('does not answer')
  })

  it('says with --live whether the server answers, and probes nothing', async () => {
    const asked: Probe = { name: 'trunk', state: 'missing' }
    const alive = setup([asked], () => Response.json({ ok: true }))
    expect(await alive.run('doctor', '--live')).toBe(0)
    expect(alive.terminal.outLines).toEqual(['alive at http://127.0.0.1:3000'])
    const sick = setup([asked], () => new Response(null, { status: 503 }))
    expect(await sick.run('doctor', '--live')).toBe(1)
    expect(await setup([asked]).run('doctor', '--live')).toBe(1)
  })
})
