import { describe, expect, it } from 'vitest'
import { lengthBeforeLoop, likeliest, probabilityOf } from './token-rules.ts'

const NONE = new Uint8Array(4)

describe('choosing a token', () => {
  it('takes the likeliest and tells its probability among all', () => {
    const { token, logProbability } = likeliest(Float32Array.of(0, Math.log(2), 0, 0), NONE)
    expect(token).toBe(1)
    expect(Math.exp(logProbability)).toBeCloseTo(2 / 5, 6)
  })

  it('passes over banned ones, which do not count in the probability', () => {
    const { token, logProbability } = likeliest(
      Float32Array.of(9, 1, 1, -50),
      Uint8Array.of(1, 0, 0, 0),
    )
    expect(token).toBe(1)
    expect(Math.exp(logProbability)).toBeCloseTo(0.5, 6)
  })

  it('finds none when all are banned', () => {
    expect(likeliest(Float32Array.of(1, 2), Uint8Array.of(1, 1)).token).toBe(-1)
  })

  it('tells the probability of one token, for large logits too', () => {
    expect(probabilityOf(0, Float32Array.of(1000, 1000))).toBeCloseTo(0.5, 6)
  })
})

describe('the guard against loops', () => {
  it('lets a telephone number and a song pass', () => {
    const number = [7, 5, 5, 5, 5, 1, 0, 0, 0, 0, 0, 0, 0, 0]
    expect(lengthBeforeLoop(number)).toBeUndefined()
    expect(lengthBeforeLoop([1, 2, 3, 1, 2, 3, 1, 2, 3])).toBeUndefined()
  })

  it('keeps one of a word that is written for ever', () => {
    expect(lengthBeforeLoop([9, ...new Array(15).fill(4)])).toBeUndefined()
    expect(lengthBeforeLoop([9, ...new Array(16).fill(4)])).toBe(2)
  })

  it('keeps one of a phrase that is written four times', () => {
    const phrase = [1, 2, 3, 4, 5, 6]
    const thrice = [9, 8, ...phrase, ...phrase, ...phrase]
    expect(lengthBeforeLoop(thrice)).toBeUndefined()
    expect(lengthBeforeLoop([...thrice, ...phrase])).toBe(8)
  })
})
