import { describe, expect, it } from 'vitest'
import { publicReason } from './public-reason.ts'

describe('a reason that is shown', () => {
  it.each([
    '486 Busy Here',
    'trunk main carries all its 2 calls',
    'connect ECONNREFUSED 192.168.100.200:5060',
    'no RTP port of 20000-20199 is free',
    'the address of sip.example.com: no such name',
  ])('says %s as it is', (reason) => {
    expect(publicReason(reason)).toBe(reason)
  })

  it.each([
    ['404 +15551234567 unknown', '404 *** unknown'],
    ['404 +1 (555) 123-4567 unknown', '404 *** unknown'],
    ['404 555-123-4567 unknown', '404 *** unknown'],
    ['404 15551234567', '404 ***'],
    ['403 <sip:alice.b@example.com> may not call', '403 <sip:***@example.com> may not call'],
    ['tel:+15551234567 is barred', 'tel:*** is barred'],
  ])('names nobody: %s', (reason, shown) => {
    expect(publicReason(reason)).toBe(shown)
  })

  it('is one line of printable Latin-1, whatever came', () => {
    expect(publicReason('603 Nicht möglich\r\n\u0000 – 拒否 🍕\u001b[2J')).toBe(
      '603 Nicht möglich ? ?? ? [2J',
    )
  })

  it('has at most 200 characters', () => {
    expect(publicReason('x'.repeat(100_000))).toBe('x'.repeat(200))
    expect(publicReason('🍕'.repeat(1000))).toBe('?'.repeat(200))
  })

  it('is null when nothing is said', () => {
    for (const nothing of [null, '', ' ', '\u0000\u0007']) expect(publicReason(nothing)).toBeNull()
  })
})
