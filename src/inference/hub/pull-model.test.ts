import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createAuthority } from '../../../test/kit/certificates.ts'
import { endAfterEach } from '../../../test/kit/end-after-each.ts'
import {
  type FakeFile,
  type FakeHub,
  type Serving,
  startFakeHub,
} from '../../../test/kit/fake-hub.ts'
import { randomSource } from '../../../test/kit/seeded.ts'
import type { Clock } from '../../core/clock.ts'
import { systemClock } from '../../core/clock.ts'
import type { KnownModel } from './manifest.ts'
import { type PulledModel, type PullModel, pullModel } from './pull-model.ts'

const end = endAfterEach()
const MODEL: KnownModel = {
  id: 'tiny',
  engine: 'whisper',
  languages: 'en',
  licence: 'MIT',
  repo: 'owner/tiny',
  revision: 'main',
  files: ['config.json'],
  optional: ['onnx/encoder.onnx_data', 'notes.txt'],
  variants: { fp32: ['onnx/encoder.onnx'], int8: ['onnx/encoder_quantized.onnx'] },
  variant: 'fp32',
}
const WEIGHTS = 'onnx/encoder.onnx'
/** Waits are short and stalls are seen at once. */
const hasty: Clock = { ...systemClock, after: (ms, fn) => systemClock.after(ms / 100, fn) }

const bytes = (seed: number, size: number): Buffer => {
  const next = randomSource(seed)
  return Buffer.from(Array.from({ length: size }, () => Math.floor(next() * 256)))
}

async function setup(o: { hub?: FakeHub; fetch?: typeof fetch } = {}) {
  const hub = o.hub ?? (await startFakeHub())
  end(() => hub.stop())
  const dataDir = mkdtempSync(join(tmpdir(), 'landline-pull-'))
  end(() => rmSync(dataDir, { recursive: true, force: true }))
  const put = (path: string, content: Buffer, more: Partial<FakeFile> = {}): FakeFile => {
    const file = { content, large: path.endsWith('.onnx'), ...more }
    hub.files.set(`owner/tiny/${path}`, file)
    return file
  }
  put('config.json', Buffer.from('{"model_type": "whisper"}'))
  const weights = put(WEIGHTS, bytes(1, 300_000))
  put('onnx/encoder_quantized.onnx', bytes(2, 5000))
  const seen: number[] = []
  const pull = (more: Partial<PullModel> = {}): Promise<PulledModel> =>
    pullModel({
      clock: hasty,
      hub: { url: hub.url, fetch: o.fetch ?? fetch },
      dataDir,
      model: MODEL,
      variant: null,
      update: false,
      onProgress: ({ bytes: done }) => seen.push(done),
      signal: new AbortController().signal,
      ...more,
    })
  const model = join(dataDir, 'models/tiny')
  const read = (path: string): Buffer => readFileSync(join(model, path))
  const lock = () =>
    JSON.parse(readFileSync(join(dataDir, 'models/models.lock.json'), 'utf8')).models
  const serve = (...servings: Serving[]): void => {
    weights.servings = servings
  }
  const gets = (): string[] => hub.asked.filter((line) => line.startsWith('GET cdn'))
  /** Bytes of the weights that an earlier run left. */
  const leave = (content: Buffer): string => {
    const dir = join(dataDir, 'models/.pull/tiny')
    mkdirSync(dir, { recursive: true })
    const name = `${encodeURIComponent(WEIGHTS)}.${new Bun.CryptoHasher('sha256').update(weights.content).digest('hex').slice(0, 16)}.part`
    writeFileSync(join(dir, name), content)
    return join(dir, name)
  }
  return { hub, dataDir, put, pull, model, read, lock, weights, serve, gets, seen, leave }
}

describe('pulling a model', () => {
  it('takes its files from the hub and from where it sends us, verified and pinned', async () => {
    const kit = await setup()
    expect(await kit.pull()).toEqual({
      id: 'tiny',
      revision: kit.hub.commit,
      bytes: 300_000 + 25,
      unchanged: false,
    })
    expect(kit.read(WEIGHTS)).toEqual(kit.weights.content)
    expect(kit.read('config.json').toString()).toContain('whisper')
    expect(kit.lock().tiny).toEqual({
      repo: 'owner/tiny',
      revision: kit.hub.commit,
      files: {
        'config.json': { size: 25, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
        [WEIGHTS]: { size: 300_000, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
      },
    })
    expect(readdirSync(join(kit.dataDir, 'models'))).not.toContain('tiny.whole')
    expect(readdirSync(join(kit.dataDir, 'models/.pull'))).toEqual([])
    expect(kit.seen.at(-1)).toBe(300_025)
  })

  it('asks for all files at the commit that the first was of', async () => {
    const kit = await setup()
    await kit.pull()
    expect(kit.hub.asked[0]).toBe('HEAD hub /owner/tiny/resolve/main/config.json')
    expect(kit.hub.asked).toContain(
      `HEAD hub /owner/tiny/resolve/${kit.hub.commit}/onnx/encoder.onnx`,
    )
    expect(
      kit.hub.asked.filter((line) => line.includes('/main/') && !line.includes('config')),
    ).toEqual([])
  })

  it('a second time asks nobody and changes nothing', async () => {
    const kit = await setup()
    await kit.pull()
    await kit.hub.stop()
    expect(await kit.pull()).toMatchObject({ bytes: 0, unchanged: true })
  })

  it('in another form adds its weights alone, of the pinned commit', async () => {
    const kit = await setup()
    await kit.pull()
    const first = kit.hub.commit
    kit.hub.commit = 'f'.repeat(40)
    expect(await kit.pull({ variant: 'int8' })).toMatchObject({ bytes: 5000 })
    expect(kit.hub.asked.at(-1)).toMatch(/cdn/)
    expect(kit.hub.asked.some((line) => line.includes(`${first}/onnx/encoder_quantized`))).toBe(
      true,
    )
    expect(Object.keys(kit.lock().tiny.files)).toHaveLength(3)
    expect(existsSync(join(kit.model, WEIGHTS))).toBe(true)
  })

  it('names the forms there are', async () => {
    const kit = await setup()
    await expect(kit.pull({ variant: 'q9' })).rejects.toThrow('no form "q9"; it has fp32, int8')
  })

  it('takes what is optional where it exists, the data of other weights never', async () => {
    const kit = await setup()
    kit.put('onnx/encoder.onnx_data', bytes(3, 100), { large: true })
    kit.put('notes.txt', Buffer.from('hi'))
    await kit.pull({ variant: 'int8' })
    expect(existsSync(join(kit.model, 'notes.txt'))).toBe(true)
    expect(existsSync(join(kit.model, 'onnx/encoder.onnx_data'))).toBe(false)
    await kit.pull()
    expect(existsSync(join(kit.model, 'onnx/encoder.onnx_data'))).toBe(true)
  })

  it('believes files that were copied there by hand when the hub knows them', async () => {
    const kit = await setup()
    mkdirSync(dirname(join(kit.model, WEIGHTS)), { recursive: true })
    writeFileSync(join(kit.model, WEIGHTS), kit.weights.content)
    expect(await kit.pull()).toMatchObject({ bytes: 25 })
    expect(kit.gets()).toEqual([])
    expect(Object.keys(kit.lock().tiny.files)).toHaveLength(2)
  })

  it('works over HTTPS, and is sent on to nothing less', async () => {
    const authority = createAuthority()
    end(() => authority.remove())
    const hub = await startFakeHub({ tls: authority.issue('DNS:localhost,IP:127.0.0.1') })
    const ca = readFileSync(authority.caFile, 'utf8')
    const trusting = Object.assign(
      (url: string, init: RequestInit) => fetch(url, { ...init, tls: { ca } }),
      { preconnect: fetch.preconnect },
    ) as typeof fetch
    const kit = await setup({ hub, fetch: trusting })
    expect(await kit.pull()).toMatchObject({ bytes: 300_025 })
    kit.hub.cdnUrl = kit.hub.cdnUrl.replace('https:', 'http:')
    await expect(kit.pull({ variant: 'int8' })).rejects.toThrow('without encryption: refused')
  })
})

describe('a pull that is disturbed', () => {
  it.each<[string, Serving[]]>([
    ['the connection is cut twice', [{ cutAfter: 100_000 }, { cutAfter: 50_000 }]],
    ['nothing comes any more', [{ stallAfter: 100_000 }]],
    ['the other side ignores the range', [{ cutAfter: 100_000 }, { ignoresRange: true }]],
    ['another part comes', [{ cutAfter: 100_000 }, { wrongRange: true }]],
    ['no length is told', [{ noLength: true }]],
    ['no length is told and the connection is cut', [{ noLength: true, cutAfter: 9000 }]],
    ['the other side is busy', [{ status: 503 }, { status: 429 }]],
  ])('comes to its end when %s', async (_, servings) => {
    const kit = await setup()
    kit.serve(...servings)
    expect(await kit.pull()).toMatchObject({ unchanged: false })
    expect(kit.read(WEIGHTS)).toEqual(kit.weights.content)
  })

  it('goes on where it broke off', async () => {
    const kit = await setup()
    kit.serve({ cutAfter: 100_000 })
    await kit.pull()
    expect(kit.gets()).toHaveLength(2)
    expect(kit.gets()[1]).toMatch(/ bytes=\d{4,}-$/)
  })

  it('gives up after five tries in vain, and keeps what it has', async () => {
    const kit = await setup()
    kit.serve({ cutAfter: 100_000 }, ...Array(10).fill({ status: 502 }))
    await expect(kit.pull()).rejects.toThrow('onnx/encoder.onnx: the hub answered 502')
    expect(existsSync(kit.model)).toBe(false)
    kit.serve()
    await kit.pull()
    expect(kit.gets().at(-1)).toMatch(/bytes=\d{4,}-$/)
    expect(kit.read(WEIGHTS)).toEqual(kit.weights.content)
  })

  it('stops at once when it is told to, and goes on from there the next time', async () => {
    const kit = await setup()
    kit.serve({ stallAfter: 200_000 })
    const stop = new AbortController()
    const pulling = kit.pull({
      signal: stop.signal,
      clock: systemClock,
      onProgress: ({ bytes: done }) => {
        if (done > 100_000) stop.abort()
      },
    })
    await expect(pulling).rejects.toMatchObject({ name: 'AbortError' })
    expect(existsSync(kit.model)).toBe(false)
    await kit.pull()
    expect(kit.gets().at(-1)).toMatch(/bytes=\d{5,}-$/)
    expect(kit.read(WEIGHTS)).toEqual(kit.weights.content)
  })

  it.each([
    [
      'is broken',
      (content: Buffer) => Buffer.concat([Buffer.from('x'), content.subarray(1, 9000)]),
    ],
    ['is too long', (content: Buffer) => Buffer.concat([content, content])],
    ['is whole', (content: Buffer) => content],
    ['is whole and broken', (content: Buffer) => Buffer.from(content.map((byte) => byte ^ 1))],
  ])('starts from an earlier part, also when that %s', async (_, made) => {
    const kit = await setup()
    kit.leave(made(kit.weights.content))
    await kit.pull()
    expect(kit.read(WEIGHTS)).toEqual(kit.weights.content)
  })

  it('takes a part as whole when the other side says that nothing is missing', async () => {
    const kit = await setup()
    Object.assign(kit.weights, { untold: true })
    const first = await setup()
    await first.pull()
    // Without a hash of the hub's only a pin can tell.
    const lock = first.lock()
    mkdirSync(join(kit.dataDir, 'models/.pull/tiny'), { recursive: true })
    writeFileSync(join(kit.dataDir, 'models/models.lock.json'), JSON.stringify({ models: lock }))
    const part = `${encodeURIComponent(WEIGHTS)}.unknown.part`
    writeFileSync(join(kit.dataDir, 'models/.pull/tiny', part), kit.weights.content)
    await kit.pull()
    expect(kit.gets()[0]).toMatch(/bytes=300000-$/)
    expect(kit.read(WEIGHTS)).toEqual(kit.weights.content)
  })
})

describe('a pull that cannot be', () => {
  it.each<[string, Partial<FakeFile>, RegExp]>([
    [
      'other bytes come',
      { servings: [{ corrupt: true }] },
      /what came is not what the hub says: .* instead of /,
    ],
    ['the hub tells another hash', { saysSha256: 'a'.repeat(64) }, /not what the hub says/],
    [
      'more comes than was told',
      { servings: [{ tooMuch: true }] },
      /more came than the 300000 bytes/,
    ],
    ['the hub gives no hash', { untold: true }, /gives no hash/],
    ['the file is forbidden', { servings: [{ status: 403 }] }, /without an account \(403\)/],
    ['the file is gone where it should be', { servings: [{ status: 404 }] }, /no such file/],
  ])('says so when %s, and installs nothing', async (_, how, message) => {
    const kit = await setup()
    Object.assign(kit.weights, how)
    await expect(kit.pull()).rejects.toThrow(message)
    expect(existsSync(kit.model)).toBe(false)
    expect(existsSync(join(kit.dataDir, 'models/models.lock.json'))).toBe(false)
  })

  it('says which file the hub does not have', async () => {
    const kit = await setup()
    kit.hub.files.delete(`owner/tiny/${WEIGHTS}`)
    await expect(kit.pull()).rejects.toThrow('onnx/encoder.onnx: the hub has no such file')
  })

  it('says that nobody answers', async () => {
    const kit = await setup()
    await kit.hub.stop()
    await expect(kit.pull()).rejects.toThrow(/127\.0\.0\.1:\d+ does not answer/)
  })

  it('is refused before a byte is fetched when the disk has no room', async () => {
    const kit = await setup()
    await expect(kit.pull({ freeBytes: () => 64 * 1024 * 1024 + 100_000 })).rejects.toThrow(
      /^tiny needs 1 MB more on the disk of .*, which has 68 MB left$/,
    )
    expect(kit.gets()).toEqual([])
  })

  it('never takes other content than was pinned, unless it is asked to', async () => {
    const kit = await setup()
    await kit.pull()
    rmSync(join(kit.model, WEIGHTS))
    kit.weights.content = bytes(9, 300_000)
    await expect(kit.pull()).rejects.toThrow(/not what was pinned when it was first pulled/)
    expect(await kit.pull({ update: true })).toMatchObject({ unchanged: false })
    expect(kit.read(WEIGHTS)).toEqual(kit.weights.content)
  })

  it('does not overwrite a lock file that it cannot read', async () => {
    const kit = await setup()
    mkdirSync(join(kit.dataDir, 'models'))
    writeFileSync(join(kit.dataDir, 'models/models.lock.json'), '{"models": {"tiny": 1}}')
    await expect(kit.pull()).rejects.toThrow(/models\.lock\.json is no lock file/)
  })

  it('ends when it is sent on and on', async () => {
    const kit = await setup()
    kit.hub.cdnUrl = `${kit.hub.url}/owner/tiny/resolve/main/onnx/encoder.onnx?`
    await expect(kit.pull()).rejects.toThrow('sends us on and on')
  })
})
