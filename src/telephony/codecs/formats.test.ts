import { describe, expect, it } from 'vitest'
import { choosePtime } from './formats.ts'

describe('choosePtime', () => {
  it.each([
    ['PCMU', {}, 20],
    ['PCMU', { ptime: 30 }, 30],
    ['PCMU', { ptime: 60 }, 60],
    ['PCMU', { ptime: 10 }, 10],
    ['PCMU', { ptime: 25 }, 20],
    ['PCMU', { ptime: 200 }, 60],
    ['PCMU', { ptime: 5 }, 10],
    ['PCMU', { ptime: 60, maxptime: 30 }, 30],
    ['PCMU', { maxptime: 10 }, 10],
    ['PCMU', { ptime: 0 }, 20],
    ['PCMU', { ptime: Number.NaN }, 20],
    ['G722', { ptime: 30 }, 30],
    // 30 ms is no frame of Opus.
    ['opus', { ptime: 30 }, 20],
    ['opus', { ptime: 60 }, 60],
  ] as const)('gives %s by %o packets of %i ms', (codec, asked, want) => {
    expect(choosePtime(codec, asked)).toBe(want)
  })
})
