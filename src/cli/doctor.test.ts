import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { type CliSetup, cleanUpCli, setupCli } from '../../test/kit/cli.ts'
import type { Probe } from '../core/probe.ts'
import type { RunningFacts } from './appliance.ts'

afterEach(cleanUpCli)

function setup(probes: Probe[], readyz?: () => Response): CliSetup {
  const cli = setupCli()
  cli.appliance.probes = async () => probes
  if (readyz) cli.terminal.fetch = (async () => readyz()) as unknown as typeof fetch
  return cli
}

const DATABASE: Probe = { name: 'database', state: 'ready', reason: '/data/landline.db' }
const RUNNING: RunningFacts = {
  pid: 4711,
  startedAt: Date.UTC(2026, 2, 20, 18, 30),
  url: 'http://127.0.0.1:3000',
  file: null,
  listens: {
    'http.host': '127.0.0.1',
    'http.port': 3000,
    'sip.host': '0.0.0.0',
    'sip.port': 5060,
  },
}
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
      notes: [],
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

  it('says that a server runs on the same data directory, and asks that one', async () => {
    const asked: string[] = []
    const cli = setup([DATABASE])
    cli.terminal.fetch = (async (url: string) => {
      asked.push(url)
      return Response.json({ parts: [] })
    }) as unknown as typeof fetch
    cli.appliance.running = async () => ({ ...RUNNING, url: 'http://127.0.0.1:41234' })
    expect(await cli.run('--data-dir', 'here', 'doctor')).toBe(0)
    expect(asked).toEqual(['http://127.0.0.1:41234/readyz'])
    expect(cli.terminal.outLines.filter((line) => line.startsWith('note'))).toEqual([
      `note: a server runs on ${join(cli.directory, 'here')}: process 4711, at http://127.0.0.1:41234, since 2026-03-20T18:30:00.000Z`,
    ])
  })

  it('says which settings that server has otherwise', async () => {
    const cli = setup([DATABASE], () => Response.json({ parts: [] }))
    cli.appliance.running = async () => RUNNING
    cli.terminal.env = { LANDLINE_SIP_PORT: '5070', LANDLINE_HTTP_PORT: '0' }
    await cli.run('doctor', '--json')
    expect(cli.json()).toMatchObject({
      server: 'ready at http://127.0.0.1:3000',
      notes: [
        expect.stringContaining('a server runs on'),
        'the server has http.port = 3000, this configuration 0: restart it to change that',
        'the server has sip.port = 5060, this configuration 5070: restart it to change that',
      ],
    })
  })

  it('says when the configuration file is another than that server read, or is newer', async () => {
    const notes = async (file: string | null, startedAt: number): Promise<string[]> => {
      const cli = setup([DATABASE], () => Response.json({ parts: [] }))
      const own = join(cli.directory, 'landline.toml')
      writeFileSync(own, '')
      cli.appliance.running = async () => ({
        ...RUNNING,
        file: file === 'own' ? own : file,
        startedAt,
      })
      await cli.run('doctor', '--json')
      return (cli.json() as { notes: string[] }).notes.slice(1)
    }
    const minute = 60_000
    expect(await notes('own', Date.now() + minute)).toEqual([])
    expect(await notes('own', Date.now() - minute)).toEqual([
      expect.stringMatching(/landline\.toml was changed after the server started: restart it/),
    ])
    expect(await notes('/etc/landline.toml', Date.now())).toEqual([
      expect.stringMatching(
        /^the server read \/etc\/landline\.toml, doctor .*landline\.toml: name/,
      ),
    ])
    expect(await notes(null, Date.now())).toEqual([
      expect.stringMatching(/^the server read no configuration file, doctor /),
    ])
  })

  it('knows of a server that says no more of itself', async () => {
    const cli = setup([DATABASE])
    cli.appliance.running = async () => 'unknown'
    await cli.run('doctor')
    expect(cli.terminal.outLines).toContain(`note: a server runs on ${join(cli.directory, 'data')}`)
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
