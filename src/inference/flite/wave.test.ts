import { describe, expect, it } from 'vitest'
import { readWave, trimSilence } from './wave.ts'

function waveFile(samples: number[], rateHz = 8000): Uint8Array {
  const file = Buffer.alloc(44 + samples.length * 2)
  file.write('RIFF', 0)
  file.write('WAVEfmt ', 8)
  file.writeUInt16LE(1, 20)
  file.writeUInt16LE(1, 22)
  file.writeUInt32LE(rateHz, 24)
  file.writeUInt16LE(16, 34)
  file.write('data', 36)
  for (const [i, sample] of samples.entries()) file.writeInt16LE(sample, 44 + 2 * i)
  return file
}

describe('a WAV file', () => {
  it('gives its rate and samples', () => {
    expect(readWave(waveFile([1, -2, 3], 16_000))).toEqual({
      rateHz: 16_000,
      samples: Int16Array.of(1, -2, 3),
    })
  })

  it('is refused when cut, of another kind or without a rate', () => {
    const stereo = waveFile([1])
    stereo[22] = 2
    const files = [new Uint8Array(0), waveFile([]).subarray(0, 43), stereo, waveFile([1], 0)]
    expect(files.map(readWave)).toEqual([undefined, undefined, undefined, undefined])
  })
})

describe('trimming', () => {
  const silence = Array<number>(80).fill(3)
  const speech = Array<number>(80).fill(5000)

  it('keeps a little of the silence around speech', () => {
    const wave = { rateHz: 8000, samples: Int16Array.from([...silence, ...speech, ...silence]) }
    const trimmed = trimSilence(wave, { leadMs: 2, trailMs: 5 })
    expect(trimmed).toHaveLength(16 + 80 + 40)
    expect(trimmed[16]).toBe(5000)
  })

  it('takes no more than there is', () => {
    const wave = { rateHz: 8000, samples: Int16Array.from(speech) }
    expect(trimSilence(wave, { leadMs: 20, trailMs: 20 })).toHaveLength(80)
  })

  it('leaves nothing of silence alone', () => {
    const wave = { rateHz: 8000, samples: Int16Array.from(silence) }
    expect(trimSilence(wave, { leadMs: 20, trailMs: 20 })).toHaveLength(0)
  })
})
