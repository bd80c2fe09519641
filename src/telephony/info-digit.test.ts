import { describe, expect, it } from 'vitest'
import { digitOfInfo } from './info-digit.ts'

describe('digitOfInfo', () => {
  it.each([
    ['application/dtmf-relay', 'Signal=5\r\nDuration=160\r\n', '5'],
    ['application/dtmf-relay', 'Signal= *\r\nDuration= 250', '*'],
    ['Application/DTMF-Relay; charset=utf-8', 'signal=#', '#'],
    ['application/dtmf-relay', 'Signal=11', '#'],
    ['application/dtmf-relay', 'Duration=160\nSignal=d\n', 'D'],
    ['application/dtmf', '7', '7'],
    ['application/dtmf', '10\r\n', '*'],
  ])('reads %s with %o as %s', (type, body, key) => {
    expect(digitOfInfo(type, body)).toBe(key)
  })

  it.each([
    ['application/dtmf-relay', ''],
    ['application/dtmf-relay', 'Signal=16'],
    ['application/dtmf-relay', 'Signal=55'],
    ['application/dtmf-relay', 'Duration=160'],
    ['application/dtmf', '12 34'],
    ['application/dtmf', '-1'],
    ['text/plain', '5'],
    [undefined, '5'],
  ])('finds no key in %s with %o', (type, body) => {
    expect(digitOfInfo(type, body)).toBeUndefined()
  })
})
