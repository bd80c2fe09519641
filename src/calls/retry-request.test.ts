import { describe, expect, it } from 'vitest'
import { AppError } from '../core/errors.ts'
import { parseCallRequest } from './call-request.ts'

const BODY = { phoneNumber: '+15551234567', instructions: 'Order a pizza.' }
const RULES = { now: 0, blockedPrefixes: [], allowedPrefixes: [], ownNumbers: ['+15559876543'] }

const read = (retry: unknown) => parseCallRequest({ ...BODY, retry }, RULES).retry

function refusal(retry: unknown): AppError {
  try {
    read(retry)
  } catch (error) {
    if (error instanceof AppError) return error
    throw error
  }
  throw new Error('it was accepted')
}

describe('the field retry of POST /calls', () => {
  it.each([
    [{}, { maxAttempts: 1, delaySeconds: 300 }],
    [{ maxAttempts: 3 }, { maxAttempts: 3, delaySeconds: 300 }],
    [{ delaySeconds: 60 }, { maxAttempts: 1, delaySeconds: 60 }],
    [
      { maxAttempts: 5, delaySeconds: 86_400 },
      { maxAttempts: 5, delaySeconds: 86_400 },
    ],
    [
      { maxAttempts: null, delaySeconds: null },
      { maxAttempts: 1, delaySeconds: 300 },
    ],
  ])('%j means %j', (given, meant) => {
    expect(read(given)).toEqual(meant)
  })

  it.each([null, undefined])('is absent when it is %s', (nothing) => {
    expect(read(nothing)).toBeNull()
  })

  it.each([[true], [3], ['3'], [[]], [[{ maxAttempts: 2 }]]])('is no object as %j', (value) => {
    expect(refusal(value)).toMatchObject({ code: 'invalid_request' })
    expect(refusal(value).message).toMatch(/^retry must be an object/)
  })

  it.each([0, -1, 6, 1.5, '3', true, {}, [], [3], Number.NaN])(
    'has no maxAttempts of %j',
    (maxAttempts) => {
      const refused = refusal({ maxAttempts })
      expect(refused.code).toBe('invalid_request')
      expect(refused.message).toContain('retry.maxAttempts')
    },
  )

  it.each([0, 59, 86_401, 60.5, '5m', '300', false, {}])(
    'has no delaySeconds of %j',
    (delaySeconds) => {
      const refused = refusal({ maxAttempts: 2, delaySeconds })
      expect(refused.code).toBe('invalid_request')
      expect(refused.message).toContain('retry.delaySeconds')
    },
  )

  it.each(['attempts', 'MaxAttempts', 'constructor', '__proto__', 'toString'])(
    'names the unknown field %s in it',
    (name) => {
      const refused = refusal(JSON.parse(`{"maxAttempts":2,"${name}":null}`))
      expect(refused.code).toBe('invalid_request')
      expect(refused.message).toContain(`"retry.${name}"`)
    },
  )
})
