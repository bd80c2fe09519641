import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Tensor } from 'onnxruntime-common'
import { describe, expect, it } from 'vitest'
import { sharedDataDir } from '../../../test/kit/speech.ts'
import { openRuntime } from './runtime.ts'

const silero = join(import.meta.dirname, '../../../models/silero_vad.onnx')

describe('the inference runtime', () => {
  it('loads a model, tells its inputs and runs it', () => {
    const session = openRuntime(sharedDataDir()).createSession(silero)
    expect(session.inputs.map(({ name }) => name)).toEqual(['input', 'state', 'sr'])
    expect(session.inputs[1]?.shape).toEqual([2, '', 128])
    const { output } = session.run({
      input: new Tensor('float32', new Float32Array(288), [1, 288]),
      state: new Tensor('float32', new Float32Array(256), [2, 1, 128]),
      sr: new Tensor('int64', BigInt64Array.of(8000n), []),
    })
    expect(output?.dims).toEqual([1, 1])
    expect(Number(output?.data[0])).toBeLessThan(0.1)
    session.release()
  })

  it('is opened once a thread', () => {
    expect(openRuntime(sharedDataDir())).toBe(openRuntime(sharedDataDir()))
  })

  it('says which file is no model', () => {
    const runtime = openRuntime(sharedDataDir())
    expect(() => runtime.createSession('/nowhere/model.onnx')).toThrow(
      /^\/nowhere\/model\.onnx cannot be loaded: /,
    )
    expect(() => runtime.createSession(new Uint8Array(1000))).toThrow(
      /^the model cannot be loaded: /,
    )
  })

  it('throws when tensors do not suit the model', () => {
    const session = openRuntime(sharedDataDir()).createSession(silero)
    const wrong = { input: new Tensor('float32', new Float32Array(3), [3]) }
    expect(() => session.run(wrong)).toThrow()
    session.release()
  })

  it('keeps onnxruntime from writing its telemetry anywhere', () => {
    const home = mkdtempSync(join(tmpdir(), 'landline-home-'))
    const script = `
      const { openRuntime } = await import(${JSON.stringify(join(import.meta.dirname, 'runtime.ts'))})
      openRuntime(${JSON.stringify(sharedDataDir())}).createSession(${JSON.stringify(silero)})
      console.log('loaded', process.pid)`
    const child = Bun.spawnSync([process.execPath, '-e', script], {
      env: { HOME: home },
      cwd: home,
    })
    const pid = /^loaded (\d+)$/m.exec(child.stdout.toString())?.[1]
    expect(pid, child.stderr.toString()).toBeDefined()
    expect(existsSync(join(home, '.cache'))).toBe(false)
    expect(existsSync(`/tmp/mat-debug-${pid}.log`)).toBe(false)
    rmSync(home, { recursive: true })
  })
})
