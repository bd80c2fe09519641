import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { cleanUpCli, setupCli } from '../../test/kit/cli.ts'
import { sha256 } from '../core/ids.ts'
import { VERSION } from '../core/version.ts'
import { TEMPORARY_KEY_NAME } from './keys.ts'

afterEach(cleanUpCli)

const VERBS = [
  'serve',
  'demo',
  'selftest',
  'call',
  'keys',
  'credits',
  'models',
  'doctor',
  'backup',
  'restore',
  'config',
  'version',
]

describe('help', () => {
  it('lists every command', async () => {
    const { run, terminal } = setupCli()
    expect(await run('--help')).toBe(0)
    for (const verb of VERBS) expect(terminal.outLines.join('\n')).toMatch(`\n  ${verb} `)
    expect(terminal.errLines).toEqual([])
  })

  it.each([
    ...VERBS.map((verb) => [verb]),
    ['keys', 'create'],
    ['keys', 'list'],
    ['keys', 'revoke'],
    ['credits', 'show'],
    ['credits', 'add'],
    ['models', 'list'],
    ['models', 'verify'],
    ['models', 'pull'],
    ['models', 'import'],
    ['config', 'check'],
    ['config', 'show'],
  ])('is there at every level and loads nothing: %s %s', async (...verb) => {
    const { run, terminal, loads } = setupCli()
    const words = verb.filter((word) => word !== undefined)
    expect(await run(...words, '--help')).toBe(0)
    expect(terminal.outLines.join('\n')).toMatch(`Usage: landline ${words.join(' ')}`)
    expect(terminal.outLines.join('\n')).toMatch('--config <file>')
    expect(loads()).toBe(0)
  })
})

describe('wrong usage', () => {
  it.each([
    [[], 'Usage: landline'],
    [['keys'], 'Usage: landline keys'],
    [['bogus'], "unknown command 'bogus'"],
    [['keyz'], 'Did you mean keys?'],
    [['keys', 'bogus'], "unknown command 'bogus'"],
    [['serve', '--bogus'], "unknown option '--bogus'"],
    [['serve', 'now'], 'too many arguments'],
    [['keys', 'create'], "required option '--name <name>'"],
    [['keys', 'create', '--name', ' '], '--name must be 1 to 100 characters'],
    [['keys', 'revoke'], "missing required argument 'id'"],
    [['credits', 'add', '1.5'], 'CENTS must be a whole number'],
    [['credits', 'add', '0'], 'CENTS must be a whole number'],
    [['credits', 'add', '-5'], 'CENTS must be a whole number'],
    [['models', 'pull', 'x', '--force'], 'models pull: not available yet'],
    [['models', 'import'], 'models import: not available yet'],
    [['call', '+15551234567'], "missing required argument 'instructions'"],
    [['call', '+15551234567', 'x', '--max-duration', 'long'], '--max-duration must be whole'],
    [['config', 'check', '--config', 'none.toml'], 'none.toml: cannot be read: there is no such'],
  ])('%j exits with 2 and says why on stderr', async (args, message) => {
    const { run, terminal, loads } = setupCli()
    expect(await run(...args)).toBe(2)
    expect(terminal.errLines.join('\n')).toMatch(message)
    expect(terminal.outLines).toEqual([])
    expect(loads()).toBe(0)
  })

  it('on another platform is one sentence', async () => {
    const setup = setupCli()
    setup.platform = { os: 'darwin', arch: 'arm64', maps: '' }
    expect(await setup.run('version')).toBe(2)
    expect(setup.terminal.errLines).toEqual([
      'Landline runs on Linux on x64 or arm64 with glibc; this is darwin on arm64.',
    ])
  })
})

describe('configuration', () => {
  it('is found by --config before or after the command, by LANDLINE_CONFIG, and beside us', async () => {
    const ports = async (...args: string[]): Promise<unknown> => {
      const setup = setupCli()
      mkdirSync(join(setup.directory, 'etc'))
      writeFileSync(join(setup.directory, 'landline.toml'), '[http]\nport = 1\n')
      writeFileSync(join(setup.directory, 'etc/env.toml'), '[http]\nport = 2\n')
      writeFileSync(join(setup.directory, 'etc/flag.toml'), '[http]\nport = 3\n')
      if (args[0] === 'env') setup.terminal.env = { LANDLINE_CONFIG: 'etc/env.toml' }
      expect(
        await setup.run(...args.filter((arg) => arg !== 'env'), 'config', 'show', '--json'),
      ).toBe(0)
      const shown = setup.json() as { key: string; value: unknown; origin: string }[]
      const { value, origin } = shown.find(({ key }) => key === 'http.port') ?? {}
      return [value, origin]
    }
    expect(await ports()).toEqual([1, 'landline.toml:2'])
    expect(await ports('env')).toEqual([2, 'etc/env.toml:2'])
    expect(await ports('env', '--config', 'etc/flag.toml')).toEqual([3, 'etc/flag.toml:2'])
    const after = setupCli()
    expect(await after.run('config', 'check', '--config', 'x.toml')).toBe(2)
  })

  it('that is wrong exits with 2 and one line, from every command', async () => {
    for (const verb of [
      ['serve'],
      ['doctor'],
      ['keys', 'list'],
      ['config', 'check'],
      ['models', 'list'],
    ]) {
      const { run, terminal, directory, loads } = setupCli()
      writeFileSync(join(directory, 'landline.toml'), '[http]\nport = "x"\n')
      expect(await run(...verb)).toBe(2)
      expect(terminal.errLines).toEqual([
        'landline: http.port = "x": must be a whole number from 0 to 65535 (landline.toml:2)',
      ])
      expect(loads()).toBe(0)
    }
  })

  it.each([
    ['that is no UTF-8', Buffer.from([0x61, 0xff]), 'it is not UTF-8 text'],
    ['that is longer than 1 MiB', Buffer.alloc(1024 * 1024 + 1, 0x20), 'it is longer than 1 MiB'],
  ])('%s is refused', async (_what, bytes, message) => {
    const { run, terminal, directory } = setupCli()
    writeFileSync(join(directory, 'landline.toml'), bytes)
    expect(await run('config', 'check')).toBe(2)
    expect(terminal.errLines).toEqual([`landline: landline.toml: cannot be read: ${message}`])
  })

  it('is shown without secrets, with the origin of each value', async () => {
    const { run, terminal, directory } = setupCli()
    writeFileSync(join(directory, 'key.txt'), 'canary-file\n')
    writeFileSync(
      join(directory, 'landline.toml'),
      '[llm]\napi_key_file = "key.txt"\n[[sip.trunks]]\nhost = "h"\nusername = "u"\npassword = "canary-toml"\n',
    )
    terminal.env = { LANDLINE_SPEECH_STT_API_KEY: 'canary-env', LANDLINE_CALLS_RING_TIMEOUT: '30s' }
    expect(await run('config', 'show', '--data-dir', '/srv/d')).toBe(0)
    expect(await run('config', 'show', '--json')).toBe(0)
    const text = terminal.outLines.join('\n')
    expect(text).not.toContain('canary')
    expect(text).toMatch(/^llm\.api_key = \[secret\] +# landline\.toml:2$/m)
    expect(text).toMatch(/^sip\.trunks\[0\]\.password = \[secret\] +# landline\.toml:6$/m)
    expect(text).toMatch(/^calls\.ring_timeout = "30s" +# LANDLINE_CALLS_RING_TIMEOUT$/m)
    expect(text).toMatch(/^data_dir = "\/srv\/d" +# --data-dir$/m)
    expect(text).toMatch(/^http\.port = 3000 +# default$/m)
  })

  it('is checked in one word, unknown variables being warnings', async () => {
    const { run, terminal } = setupCli()
    terminal.env = { LANDLINE_HTTP_PROT: '1' }
    expect(await run('config', 'check')).toBe(0)
    expect(terminal.outLines).toEqual(['configuration: ok (no file)'])
    expect(terminal.errLines).toEqual([
      'landline: warning: unknown variable LANDLINE_HTTP_PROT; did you mean LANDLINE_HTTP_PORT?',
    ])
  })
})

describe('keys', () => {
  it('are made, listed and revoked; only the hash is stored', async () => {
    const setup = setupCli()
    expect(await setup.run('keys', 'create', '--name', 'ci', '--json')).toBe(0)
    const made = setup.json() as { id: string; name: string; key: string }
    expect(Object.keys(made)).toEqual(['id', 'name', 'key'])
    expect(made.key).toMatch(/^sk_live_[\w-]{43}$/)
    expect(setup.appliance.keyRows).toMatchObject([
      { id: made.id, name: 'ci', hash: sha256(made.key), revokedAt: null },
    ])
    expect(JSON.stringify(setup.appliance.keyRows)).not.toContain(made.key)

    setup.terminal.outLines.length = 0
    expect(await setup.run('keys', 'revoke', made.id)).toBe(0)
    expect(setup.terminal.outLines).toEqual([`revoked ${made.id}`])
    setup.terminal.outLines.length = 0
    expect(await setup.run('keys', 'list', '--json')).toBe(0)
    const at = '2026-03-20T18:30:00.000Z'
    expect(setup.json()).toEqual([{ id: made.id, name: 'ci', createdAt: at, revokedAt: at }])
    expect(setup.appliance.open).toBe(0)
  })

  it('are shown once, with a word about it on stderr', async () => {
    const { run, terminal } = setupCli()
    expect(await run('keys', 'create', '--name', 'ci')).toBe(0)
    expect(terminal.outLines.at(-1)).toMatch(/^key: +sk_live_/)
    expect(terminal.errLines).toEqual(['Keep the key now: it is not shown again.'])
  })

  it('are not listed when `call` made them for itself and has revoked them', async () => {
    const setup = setupCli()
    const row = { name: TEMPORARY_KEY_NAME, hash: '', createdAt: 0, revokedAt: null }
    setup.appliance.keyRows.push({ ...row, id: 'left' }, { ...row, id: 'over', revokedAt: 1 })
    expect(await setup.run('keys', 'list', '--json')).toBe(0)
    expect(setup.json()).toMatchObject([{ id: 'left' }])
  })

  it('that do not exist cannot be revoked: exit 1', async () => {
    const { run, terminal, appliance } = setupCli()
    expect(await run('keys', 'revoke', 'nope')).toBe(1)
    expect(terminal.errLines).toEqual([
      'landline: keys revoke: there is no unrevoked key with the id nope',
    ])
    expect(appliance.open).toBe(0)
  })
})

describe('credits', () => {
  it('are shown and added to', async () => {
    const { run, terminal } = setupCli()
    expect(await run('credits', 'show')).toBe(0)
    expect(await run('credits', 'add', '250', '--json')).toBe(0)
    expect(await run('credits', 'show', '--json')).toBe(0)
    expect(terminal.outLines).toEqual(['balance: 500 cents', '{"balance":750}', '{"balance":750}'])
  })
})

describe('models', () => {
  it('are listed as JSON in the shape of the contract, and as a table', async () => {
    const setup = setupCli()
    expect(await setup.run('models', 'list', '--json')).toBe(0)
    expect(setup.json()).toEqual([
      { id: 'whisper-base', engine: 'whisper', installed: true, sizeBytes: 1_500_000 },
    ])
    expect(await setup.run('models', 'list')).toBe(0)
    expect(setup.terminal.outLines.at(-1)).toBe('whisper-base  whisper  yes        1.5')
  })

  it('that are broken make verify exit with 1', async () => {
    const { run, terminal, appliance } = setupCli()
    expect(await run('models', 'verify')).toBe(0)
    appliance.verifyModels = async () => [{ id: 'x', ok: false, problem: 'encoder is cut short' }]
    expect(await run('models', 'verify')).toBe(1)
    expect(terminal.outLines).toEqual(['whisper-base  ok', 'x  encoder is cut short'])
  })
})

describe('backup and restore', () => {
  it('name the files, relative to the working directory', async () => {
    const setup = setupCli()
    mkdirSync(join(setup.directory, 'data'))
    const file = join(setup.directory, 'copy.db')
    expect(await setup.run('backup', 'copy.db', '--json')).toBe(0)
    expect(setup.json()).toEqual({ file, bytes: 4 })
    expect(await setup.run('restore', 'copy.db')).toBe(0)
    expect(setup.terminal.outLines.slice(1)).toEqual([
      `restored ${file}`,
      'the replaced database is kept as /data/old',
    ])
    expect(setup.appliance.open).toBe(0)
  })

  it('fail with 1 and a sentence', async () => {
    const { run, terminal, appliance, directory } = setupCli()
    expect(await run('backup', 'copy.db')).toBe(1)
    expect(terminal.errLines[0]).toMatch(`there is no data directory at ${directory}/data`)
    appliance.restore = () => Promise.reject(new Error('restore: a server is running'))
    expect(await run('restore', 'copy.db')).toBe(1)
    expect(terminal.errLines[1]).toBe('landline: restore: a server is running')
  })
})

describe('demo', () => {
  it('prints what the appliance tells and exits with its outcome', async () => {
    const { run, terminal } = setupCli()
    expect(await run('demo')).toBe(0)
    expect(terminal.outLines).toEqual(['agent: Hi.', 'human: Hello.'])
    expect(await run('demo', '--mute-callee')).toBe(1)
  })

  it('is ended by Ctrl-C, and at once by a second one', async () => {
    const { run, terminal, appliance } = setupCli()
    let end = (): void => undefined
    appliance.demo = ({ signal }) =>
      new Promise((done) => {
        end = () => done(!signal.aborted)
        terminal.signal()
        terminal.signal()
        end()
      })
    expect(await run('demo')).toBe(1)
    expect(terminal.exits).toEqual([1])
  })
})

describe('version', () => {
  it('is printed by command and option', async () => {
    const { run, terminal } = setupCli()
    expect(await run('version')).toBe(0)
    expect(await run('version', '--json')).toBe(0)
    expect(await run('--version')).toBe(0)
    expect(terminal.outLines).toEqual([`landline ${VERSION}`, `{"version":"${VERSION}"}`, VERSION])
  })
})

describe('version --notices', () => {
  it('prints the licences of what is inside, to the last', async () => {
    const setup = setupCli()
    expect(await setup.run('version', '--notices')).toBe(0)
    const printed = setup.terminal.outLines.join('\n')
    expect(printed).toContain('@evan/opus')
    expect(printed).toContain('Xiph.Org')
    // Of what onnxruntime's native part is made of.
    expect(printed).toContain('protobuf')
  })
})
