import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Tensor } from 'onnxruntime-common'
import { afterEach, describe, expect, it } from 'vitest'
import { sharedDataDir } from '../../../test/kit/speech.ts'
import { CUDA_FOLDER, PROVIDERS } from './cuda-files.ts'
import { chooseDevice } from './device.ts'
import { openRuntime, type Runtime } from './runtime.ts'
import { unpackNative } from './unpack.ts'

const made: string[] = []
afterEach(() => {
  for (const dir of made.splice(0)) rmSync(dir, { recursive: true, force: true })
})

/** A data directory, with files in place of CUDA's where `content` is given, and a runtime that runs all on the CPU. */
function setup(o: { content?: string; sum?: number } = {}) {
  const dataDir = mkdtempSync(join(tmpdir(), 'landline-device-'))
  made.push(dataDir)
  const cuda = join(dataDir, CUDA_FOLDER)
  const libraryDir = join(dataDir, 'runtime/hash')
  mkdirSync(cuda, { recursive: true, mode: 0o700 })
  mkdirSync(libraryDir, { mode: 0o700 })
  for (const name of o.content === undefined ? [] : PROVIDERS)
    writeFileSync(join(cuda, name), o.content ?? '', { mode: 0o600 })
  const asked: unknown[] = []
  const real = openRuntime(sharedDataDir())
  const runtime: Runtime = {
    directory: libraryDir,
    createSession(model, options) {
      asked.push(options?.device)
      const session = real.createSession(model)
      const sum = new Tensor('float32', Float32Array.of(o.sum ?? 0), [1])
      return o.sum === undefined ? session : { ...session, run: () => ({ c: sum }) }
    },
  }
  return { dataDir, cuda, libraryDir, runtime, asked }
}

describe('the device of the models', () => {
  it('is the CPU when that is wanted, and where no file of CUDA is', () => {
    const { dataDir, runtime, asked } = setup()
    expect(chooseDevice(runtime, dataDir, 'cpu')).toEqual({ name: 'cpu', reason: null })
    expect(chooseDevice(runtime, dataDir, 'auto')).toEqual({ name: 'cpu', reason: null })
    expect(chooseDevice(runtime, dataDir, 'cuda')).toEqual({
      name: 'cpu',
      reason:
        'libonnxruntime_providers_shared.so and libonnxruntime_providers_cuda.so are not in runtime/cuda of the data directory',
    })
    expect(asked).toEqual([])
  })

  it('is CUDA when a tiny model runs on it, its files linked beside the library', () => {
    const { dataDir, runtime, asked, cuda, libraryDir } = setup({ content: 'cuda' })
    for (const wanted of ['auto', 'cuda'] as const)
      expect(chooseDevice(runtime, dataDir, wanted)).toEqual({ name: 'cuda', reason: null })
    expect(asked).toEqual(['cuda', 'cuda'])
    for (const name of PROVIDERS)
      expect(readlinkSync(join(libraryDir, name))).toBe(join(cuda, name))
  })

  it('is the CPU when CUDA computes something else', () => {
    const { dataDir, runtime } = setup({ content: 'cuda', sum: 4 })
    expect(chooseDevice(runtime, dataDir, 'auto')).toEqual({
      name: 'cpu',
      reason: 'CUDA computes 1 + 2 = 4',
    })
  })

  it('loads no file that everybody may write', () => {
    const { dataDir, runtime, cuda, asked } = setup({ content: 'cuda' })
    chmodSync(join(cuda, PROVIDERS[1] as string), 0o666)
    expect(chooseDevice(runtime, dataDir, 'auto').reason).toMatch(/providers_cuda\.so is writable/)
    expect(asked).toEqual([])
  })

  it("says the runtime's own reason when the files are no library", () => {
    const { dataDir } = setup({ content: 'no library' })
    // The true runtime, in a process of its own: a library that failed to load is remembered.
    const script = `
      const { openRuntime } = await import(${JSON.stringify(join(import.meta.dirname, 'runtime.ts'))})
      const { chooseDevice } = await import(${JSON.stringify(join(import.meta.dirname, 'device.ts'))})
      console.log(JSON.stringify(chooseDevice(openRuntime(${JSON.stringify(dataDir)}), ${JSON.stringify(dataDir)}, 'auto')))`
    linkRuntime(dataDir)
    const child = Bun.spawnSync([process.execPath, '-e', script], { env: {} })
    const device: unknown = JSON.parse(child.stdout.toString())
    expect(device).toEqual({
      name: 'cpu',
      reason: expect.stringMatching(/^CUDA does not work: .+/),
    })
  })
})

/** The unpacked runtime of all tests, so that it is not unpacked again. */
function linkRuntime(dataDir: string): void {
  const from = dirname(unpackNative(sharedDataDir()))
  const to = join(dataDir, 'runtime', from.split('/').at(-1) as string)
  mkdirSync(to, { mode: 0o700 })
  for (const name of ['libonnxruntime.so.1', 'onnxruntime_binding.node']) {
    if (name.endsWith('.node')) copyFileSync(join(from, name), join(to, name))
    else symlinkSync(join(from, name), join(to, name))
  }
}
