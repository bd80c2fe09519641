import { describe, expect, it } from 'vitest'
import { failureOf, refused } from './outcome.ts'

describe('failureOf', () => {
  it.each([
    [486, 'busy'],
    [600, 'busy'],
    [408, 'no_answer'],
    [480, 'no_answer'],
    [301, 'rejected'],
    [302, 'rejected'],
    [403, 'rejected'],
    [404, 'rejected'],
    [487, 'rejected'],
    [603, 'rejected'],
    [401, 'trunk_error'],
    [407, 'trunk_error'],
    [500, 'trunk_error'],
    [503, 'trunk_error'],
    [599, 'trunk_error'],
  ])('%i is %s', (status, failure) => {
    expect(failureOf(status)).toBe(failure)
  })
})

describe('refused', () => {
  it('shows no number that the other side names in its phrase', () => {
    const phrase = '442071234567 (sip:alice@example.com) is away'

    const { reason } = refused(480, { phrase, hasCredentials: true }) as { reason: string }

    expect(reason).toBe('480 *** (sip:***@example.com) is away')
  })
})
