import { cpSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { jfk, sharedDataDir } from '../../../test/kit/speech.ts'
import { type TurnModelOptions, writeTurnModel } from '../../../test/kit/turn-models.ts'
import { resample } from '../../core/resample.ts'
import { openRuntime } from '../onnx/runtime.ts'
import { loadTurnNet } from './turn-net.ts'

const made: string[] = []
afterEach(() => {
  for (const dir of made.splice(0)) rmSync(dir, { recursive: true })
})

const CPU = 'smart-turn-v3.2-cpu.onnx'

function setup() {
  const dir = mkdtempSync(join(tmpdir(), 'landline-turns-'))
  made.push(dir)
  const write = (name: string, o: TurnModelOptions = {}): string => {
    writeTurnModel(join(dir, name), o)
    return join(dir, name)
  }
  const load = () => loadTurnNet(openRuntime(sharedDataDir()), dir)
  return { dir, write, load }
}

const speech = resample(jfk().subarray(0, 8000 * 2), 8000, 16_000)
const withPause = Int16Array.from([...speech, ...new Int16Array(9600)])

describe('a Smart Turn', () => {
  it('gives a chance by how the sound ends', () => {
    const { write, load } = setup()
    write(CPU)
    const net = load()
    expect(net.judge(withPause)).toBeGreaterThan(0.9)
    expect(net.judge(speech)).toBeLessThan(0.1)
    net.release()
  })

  it('may give log-odds, which become the same chance', () => {
    const { write, load } = setup()
    write(CPU)
    const plain = load()
    write(CPU, { logOdds: true })
    const odds = load()
    for (const sound of [speech, withPause])
      expect(odds.judge(sound)).toBeCloseTo(plain.judge(sound), 5)
    plain.release()
    odds.release()
  })

  it('is the file that is pulled, else one for the CPU, else any that fits', () => {
    const { dir, write, load } = setup()
    const names = [
      'smart-turn-v3.0.onnx',
      'smart-turn-v3.3-gpu.onnx',
      'smart-turn-v3.1-cpu.onnx',
      CPU,
    ]
    for (const name of names) write(name)
    const chosen: string[] = []
    for (let left = names.length; left > 0; left--) {
      const net = load()
      net.release()
      chosen.push(net.file.slice(dir.length + 1))
      rmSync(net.file)
    }
    expect(chosen).toEqual([...names.slice(3), names[2], names[1], names[0]])
  })

  it('may name its sizes instead of fixing them', () => {
    const { write, load } = setup()
    write('turns.onnx', { shape: ['batch', 80, 800] })
    const net = load()
    expect(net.judge(withPause)).toBeGreaterThan(0.9)
    net.release()
  })

  it('is passed over for another when its file is broken', () => {
    const { write, load } = setup()
    truncateSync(write(CPU), 200)
    const other = write('smart-turn-v3.1-cpu.onnx')
    const net = load()
    expect(net.file).toBe(other)
    net.release()
  })
})

describe('what is no Smart Turn', () => {
  it('says which file is truncated, empty, or a text', () => {
    const { dir, write, load } = setup()
    const path = write(CPU)
    truncateSync(path, 200)
    expect(load).toThrow(new Error(`${path} is truncated`))
    truncateSync(path, 0)
    expect(load).toThrow(new Error(`${path} is empty`))
    writeFileSync(path, '<html>404</html>')
    expect(load).toThrow(new Error(`${path} is no ONNX model`))
    rmSync(path)
    expect(load).toThrow(new Error(`${dir} holds no .onnx file`))
  })

  it('says so of other models, whatever they take', () => {
    const { write, load, dir } = setup()
    const sentence = 'is no Smart Turn: it does not take input_features [1, 80, 800]'
    const path = write(CPU, { shape: [1, 80, 3000] })
    expect(load).toThrow(new Error(`${path} ${sentence}`))
    write(CPU, { input: 'mel' })
    expect(load).toThrow(new Error(`${path} ${sentence}`))
    cpSync(join(import.meta.dirname, '../../../models/silero_vad.onnx'), join(dir, CPU))
    expect(load).toThrow(new Error(`${path} ${sentence}`))
  })

  it('says so of one that gives no number', () => {
    const { write, load } = setup()
    const path = write(CPU, { always: Number.NaN })
    expect(load).toThrow(new Error(`${path} is no Smart Turn: it gives no chance`))
  })

  it('says that a directory is none', () => {
    const { dir, load } = setup()
    mkdirSync(join(dir, CPU))
    expect(load).toThrow(/smart-turn-v3.2-cpu.onnx cannot be read/)
  })
})
