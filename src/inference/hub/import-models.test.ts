import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { endAfterEach } from '../../../test/kit/end-after-each.ts'
import { importModels } from './import-models.ts'

const end = endAfterEach()

function setup() {
  const home = mkdtempSync(join(tmpdir(), 'landline-import-'))
  end(() => rmSync(home, { recursive: true, force: true }))
  const dataDir = join(home, 'data')
  const put = (path: string, content: string): void => {
    mkdirSync(dirname(join(home, path)), { recursive: true })
    writeFileSync(join(home, path), content)
  }
  const model = (dir: string): void => {
    put(`${dir}/config.json`, '{"model_type": "whisper"}')
    put(`${dir}/onnx/encoder_model.onnx`, 'weights'.repeat(1000))
  }
  const tar = (name: string, ...args: string[]): string => {
    execFileSync('tar', ['-cf', join(home, name), '-C', home, ...args])
    return join(home, name)
  }
  const take = (source: string, id: string | null = null) =>
    importModels({
      dataDir,
      source: join(home, source),
      id,
      signal: new AbortController().signal,
    })
  const has = (path: string): boolean => existsSync(join(dataDir, 'models', path))
  const lock = () =>
    JSON.parse(readFileSync(join(dataDir, 'models/models.lock.json'), 'utf8')).models
  return { home, dataDir, put, model, tar, take, has, lock }
}

describe('importing models', () => {
  it("takes a model's directory under its name, and pins it", async () => {
    const { model, take, has, lock } = setup()
    model('from/whisper-tiny')
    expect(await take('from/whisper-tiny')).toEqual([{ id: 'whisper-tiny', files: 2, bytes: 7025 }])
    expect(has('whisper-tiny/onnx/encoder_model.onnx')).toBe(true)
    expect(lock()['whisper-tiny']).toMatchObject({
      repo: null,
      files: { 'onnx/encoder_model.onnx': { size: 7000 } },
    })
  })

  it('takes it under another name', async () => {
    const { model, take, has } = setup()
    model('x y')
    await expect(take('x y')).rejects.toThrow('"x y" is no name for a model: say --as NAME')
    await take('x y', 'mine')
    expect(has('mine/config.json')).toBe(true)
  })

  it('takes all models of a directory, and nothing else in it', async () => {
    const { model, put, take, has } = setup()
    model('models/a')
    model('models/b')
    put('models/piper-en_US-ryan-medium/en/en_US/ryan/medium/en_US-ryan-medium.onnx', 'w')
    put('models/piper-en_US-ryan-medium/en/en_US/ryan/medium/en_US-ryan-medium.onnx.json', '{}')
    put('models/notes/readme.txt', 'hi')
    put('models/.pull/c/x.part', 'half')
    const ids = (await take('models')).map(({ id }) => id)
    expect(ids).toEqual(['a', 'b', 'piper-en_US-ryan-medium'])
    expect(has('notes')).toBe(false)
    await expect(take('models', 'one')).rejects.toThrow('holds 3 models: they keep their names')
  })

  it.each(['x.tar', 'x.tar.gz'])('takes an archive: %s', async (name) => {
    const { home, model, tar, take, has, dataDir } = setup()
    model('models/whisper-tiny')
    // A name too long for the old header.
    writeFileSync(join(home, 'models/whisper-tiny', `note-${'n'.repeat(120)}.txt`), 'x')
    symlinkSync('/etc/passwd', join(home, 'models/whisper-tiny/link'))
    const file = tar('x.tar', 'models')
    if (name.endsWith('gz')) execFileSync('gzip', [file])
    expect(await take(name)).toMatchObject([{ id: 'whisper-tiny', files: 3 }])
    expect(has(`whisper-tiny/note-${'n'.repeat(120)}.txt`)).toBe(true)
    expect(has('whisper-tiny/link')).toBe(false)
    expect(existsSync(join(dataDir, 'models/.pull/.import'))).toBe(false)
  })

  it('refuses what is not what was pinned, here or where it comes from', async () => {
    const { put, model, take, has, lock } = setup()
    model('from/m')
    await take('from/m')
    const pinned = lock()
    put('from/m/onnx/encoder_model.onnx', 'other')
    await expect(take('from/m')).rejects.toThrow(/is not what was pinned for m: sha256 /)
    expect(lock()).toEqual(pinned)
    model('elsewhere/n')
    const files = { 'config.json': { size: 1, sha256: 'a'.repeat(64) } }
    put(
      'elsewhere/models.lock.json',
      JSON.stringify({ models: { n: { repo: 'o/n', revision: null, files } } }),
    )
    await expect(take('elsewhere')).rejects.toThrow('is not what was pinned for n')
    expect(has('n')).toBe(false)
  })

  it.each([
    ['nothing.tar', () => {}, /there is no such directory/],
    ['empty', ({ put }: ReturnType<typeof setup>) => put('empty/x.txt', ''), /holds no model/],
    [
      'x.tar',
      ({ put }: ReturnType<typeof setup>) => put('x.tar', 'x'.repeat(600)),
      /x\.tar: it is no tar archive/,
    ],
    [
      'x.tar',
      ({ put }: ReturnType<typeof setup>) => put('x.tar', 'x'),
      /x\.tar: it ends in the middle/,
    ],
    ['x.tgz', ({ put }: ReturnType<typeof setup>) => put('x.tgz', 'x'.repeat(600)), /x\.tgz: /],
  ] as const)('says what is wrong with %s', async (source, make, message) => {
    const kit = setup()
    make(kit)
    await expect(kit.take(source)).rejects.toThrow(message)
  })

  it('refuses an archive that leads out of itself', async () => {
    const kit = setup()
    kit.put('in/m/x.onnx', 'w')
    execFileSync('tar', [
      '-cPf',
      join(kit.home, 'x.tar'),
      '-C',
      join(kit.home, 'in'),
      '../in/m/x.onnx',
    ])
    await expect(kit.take('x.tar')).rejects.toThrow('it holds a file outside of itself')
    expect(existsSync(join(kit.dataDir, 'models/m'))).toBe(false)
  })

  it('refuses an archive that is cut, and installs nothing', async () => {
    const kit = setup()
    kit.model('m')
    const file = kit.tar('x.tar', 'm')
    writeFileSync(file, readFileSync(file).subarray(0, 3000))
    await expect(kit.take('x.tar')).rejects.toThrow('x.tar: it ends in the middle')
    expect(kit.has('m')).toBe(false)
  })
})
