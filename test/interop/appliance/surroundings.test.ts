import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { runBinary } from '../../kit/appliance.ts'
import { endAfterEach } from '../../kit/end-after-each.ts'
import { scratchDirectory } from '../../kit/peers.ts'
import { startRoad } from '../../kit/road.ts'

const end = endAfterEach()

function scratch(): string {
  const { path, remove } = scratchDirectory()
  end(remove)
  return path
}

/** Runs a command on a configuration file of this text. */
async function withConfig(text: string, args: readonly string[] = ['serve']) {
  const cwd = scratch()
  writeFileSync(join(cwd, 'landline.toml'), text)
  return { cwd, result: await runBinary(args, { cwd, env: { HOME: cwd, TMPDIR: cwd } }) }
}

/** Paths of files and directories that others than the owner may do something with. */
function openToOthers(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((file) => {
    const { mode } = statSync(join(directory, file))
    return /landline\.(db|key)/.test(file) && (mode & 0o077) !== 0
  })
}

describe("the executable's surroundings", () => {
  it('may be empty: no environment at all, nothing in the working directory', async () => {
    const cwd = scratch()
    const version = await runBinary(['version'], { cwd, env: {} })
    expect(version).toMatchObject({ code: 0, err: '' })
    expect(version.out).toMatch(/\d+\.\d+\.\d+/)
    expect(readdirSync(cwd)).toEqual([])
    const { appliance, phone } = await startRoad(end)
    await appliance.kill()
    await appliance.start({})
    phone.plan = () => ({ hangUp: 300 })
    expect(await appliance.ended(await appliance.call())).toMatchObject({ status: 'completed' })
  })

  it('are left as they were: only the data directory is written, for its owner alone', async () => {
    const { appliance, phone } = await startRoad(end)
    const before = appliance.filesOutside()
    phone.plan = () => ({ hangUp: 1_500 })
    const call = await appliance.ended(await appliance.call())
    expect(call.status).toBe('completed')
    expect((await fetch(`${appliance.url}/docs`)).status).toBe(200)
    await appliance.command(['backup', join(appliance.dataDir, 'copy.db')])
    await appliance.command(['doctor'])
    expect(appliance.filesOutside()).toEqual(before)
    expect(statSync(appliance.dataDir).mode & 0o777).toBe(0o700)
    expect(openToOthers(appliance.dataDir)).toEqual([])
    expect(readdirSync(appliance.dataDir)).toContain('landline.db')
  })

  it('hold one server for each data directory: a second is refused with exit 1', async () => {
    const { appliance } = await startRoad(end)
    const second = await appliance.command(['serve'], { env: { LANDLINE_SIP_PORT: '0' } })
    expect(second.code).toBe(1)
    expect(`${second.out}${second.err}`).toContain('another Landline server is running')
    expect((await appliance.request('GET', '/api/v1/me')).status).toBe(200)
  })

  it('in which the SIP port is taken are refused with exit 1 and say which', async () => {
    const { appliance, phone } = await startRoad(end)
    await appliance.kill()
    const started = await appliance.command(['serve'], {
      env: { LANDLINE_SIP_PORT: String(phone.port) },
    })
    expect(started.code).toBe(1)
    expect(`${started.out}${started.err}`).toContain(String(phone.port))
  })

  it.each([
    ['an unknown key', '[http]\nprot = 1\n', /http\.prot/, 2],
    ['a wrong type', '[http]\nport = "many"\n', /http\.port.*many/, 2],
    ['no TOML', 'http = [\n', /landline\.toml/, null],
    ['too few RTP ports', '[sip]\nrtp_ports = "20000-20003"\n', /sip\.rtp_ports/, 2],
    ['a duration without a unit', '[calls]\nring_timeout = 45\n', /calls\.ring_timeout/, 2],
    [
      'a codec that is not there yet',
      '[[sip.trunks]]\nhost = "a"\ncodecs = ["G729"]\n',
      /codecs/,
      3,
    ],
    ['a script that is not named', '[llm]\nengine = "scripted"\n', /llm\.script/, 2],
    [
      'a password file that is not there',
      '[[sip.trunks]]\nhost = "a"\npassword_file = "x"\n',
      /password_file/,
      3,
    ],
  ])('with %s in the file exit with 2 and one line', async (_what, text, names, line) => {
    const { cwd, result } = await withConfig(text)
    expect(result.code).toBe(2)
    expect(result.out).toBe('')
    expect(result.err.trimEnd().split('\n')).toHaveLength(1)
    expect(result.err).toMatch(names)
    if (line !== null) expect(result.err).toContain(`(landline.toml:${line})`)
    expect(readdirSync(cwd)).toEqual(['landline.toml'])
  })

  it('with a file that cannot be read exit with 2 and one line', async () => {
    const cwd = scratch()
    mkdirSync(join(cwd, 'landline.toml'))
    const result = await runBinary(['serve'], { cwd, env: {} })
    expect(result.code).toBe(2)
    expect(result.err.trimEnd().split('\n')).toHaveLength(1)
    const missing = await runBinary(['serve', '--config', 'nowhere.toml'], { cwd, env: {} })
    expect(missing.code).toBe(2)
    expect(missing.err).toContain('nowhere.toml')
  })
})

describe("the executable's log at info", () => {
  it('holds no key, secret, password, number, instructions or transcript', async () => {
    const canaries = {
      password: 'canary-password-1',
      instructions: 'Canary instructions two.',
      firstMessage: 'Canary message three.',
      name: 'Canary Name Four',
      metadata: 'canary-metadata-5',
    }
    const { appliance, phone, receiver, secret } = await startRoad(end, {
      trunk: { username: 'alice', password: canaries.password },
      dialogue: 'opening\n  say Canary reply six.\n  hang up\nsummary\n  say Canary seven.\n',
    })
    phone.plan = () => ({ hangUp: 4_000 })
    receiver.answer = () => (receiver.posts.length === 1 ? 500 : 200)
    const { instructions, firstMessage, name } = canaries
    const metadata = { note: canaries.metadata }
    const ids = [
      await appliance.call({ instructions, firstMessage, name, metadata }),
      await appliance.call({ instructions, firstMessage: null, phoneNumber: '+15551234568' }),
    ]
    const said: string[] = []
    for (const id of ids) {
      const call = await appliance.ended(id)
      said.push(call.toNumber, ...call.transcript.map(({ text }) => text))
      await receiver.wait(id)
    }
    expect(said).toHaveLength(4)
    await appliance.request('POST', '/api/v1/calls', { phoneNumber: 'canary-number-8' })
    await appliance.terminate()
    const secrets = [appliance.key, secret, secret.slice('whsec_'.length)]
    const hidden = [...Object.values(canaries), ...said, ...secrets, 'Canary', 'canary']
    for (const text of hidden) expect(appliance.log).not.toContain(text)
    for (const line of appliance.log.trimEnd().split('\n'))
      expect(Object.keys(JSON.parse(line))).toContain('msg')
  })
})
