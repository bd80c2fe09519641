import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { faultOfOnnxFile } from './onnx-file.ts'

const models = join(import.meta.dirname, '../../../models')
const whole = readFileSync(join(models, 'demo/onnx/encoder_model.onnx'))
let dir = ''

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'landline-onnx-'))
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

function faultOf(bytes: Uint8Array | string): string | undefined {
  writeFileSync(join(dir, 'model.onnx'), bytes)
  return faultOfOnnxFile(join(dir, 'model.onnx'))
}

describe('an ONNX file', () => {
  it.each([
    'silero_vad.onnx',
    'demo/onnx/encoder_model.onnx',
    'demo/onnx/decoder_model_merged.onnx',
  ])('is whole: %s', (name) => {
    expect(faultOfOnnxFile(join(models, name))).toBeUndefined()
  })

  it.each([0.001, 0.3, 0.9, 0.999999])('is told to be truncated at %d of its length', (part) => {
    expect(faultOf(whole.subarray(0, Math.floor(whole.length * part)))).toMatch(/truncated/)
  })

  it('is told to be missing, empty, or something else', () => {
    expect(faultOfOnnxFile(join(dir, 'none.onnx'))).toBe('is missing')
    expect(faultOf('')).toBe('is empty')
    expect(faultOf('<!DOCTYPE html><html><body>Not Found</body></html>')).toBe('is no ONNX model')
    expect(faultOf(new Uint8Array(5000))).toBe('is no ONNX model')
    expect(faultOf('version https://git-lfs.github.com/spec/v1\noid sha256:1a\nsize 12\n')).toMatch(
      /Git LFS pointer/,
    )
  })

  it('takes any bytes without throwing', () => {
    for (let seed = 1; seed < 300; seed++) {
      const bytes = Uint8Array.from({ length: seed }, (_, i) => (i * seed * 31 + (seed >> 3)) & 255)
      expect(typeof faultOf(bytes)).toBe('string')
    }
  })
})
