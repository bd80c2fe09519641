import { describe, expect, it } from 'vitest'
import { AppError } from '../core/errors.ts'
import { type NumberFields, parseNumberFields } from './own-number.ts'

const NUMBER = '+15559876543'

function setup() {
  const rules = { blockedPrefixes: ['+1900'], allowedPrefixes: [] }
  const parse = (body: unknown): NumberFields => parseNumberFields(body, { number: NUMBER, rules })
  const refuse = (body: unknown): AppError => {
    try {
      parse(body)
    } catch (error) {
      if (error instanceof AppError) return error
      throw error
    }
    throw new Error('it was accepted')
  }
  return { parse, refuse }
}

describe('the body of PUT /numbers/:number', () => {
  it('needs instructions, and leaves the rest open', () => {
    const bare = { firstMessage: null, name: null, metadata: null }
    expect(setup().parse({ instructions: 'x', name: ' ', maxDuration: null })).toEqual({
      instructions: 'x',
      ...bare,
      maxDurationSeconds: null,
      transferTo: null,
    })
  })

  it('takes every field of a call that means something for one that comes in', () => {
    const body = {
      instructions: 'Take orders.',
      firstMessage: 'Hello.',
      name: "Joe's",
      metadata: { shop: '7' },
      maxDuration: 60,
      transferTo: '+15557654321',
    }
    const { maxDuration, ...rest } = body
    expect(setup().parse(body)).toEqual({ ...rest, maxDurationSeconds: maxDuration })
  })

  it.each([
    [{}, 'instructions is required'],
    [{ instructions: ' ' }, 'instructions must not be blank'],
    [{ instructions: 'x'.repeat(5001) }, 'up to 5000'],
    [{ instructions: 'x', firstMessage: 'x'.repeat(1001) }, 'firstMessage may have up to 1000'],
    [{ instructions: 'x', name: 5 }, 'name must be a string'],
    [{ instructions: 'x', metadata: { a: 1 } }, 'metadata must hold strings only'],
    [{ instructions: 'x', maxDuration: 9 }, 'maxDuration must be'],
    [{ instructions: 'x', transferTo: '0800' }, 'transferTo must be'],
    [{ instructions: 'x', transferTo: NUMBER }, 'transferTo is the number that is called'],
    [{ instructions: 'x', phoneNumber: NUMBER }, 'Unknown field "phoneNumber"'],
    [{ instructions: 'x', callAt: '2026-01-01T00:00:00Z' }, 'Unknown field "callAt"'],
    [[], 'must be a JSON object, not an array'],
  ])('is refused: %j', (body, sentence) => {
    const { code, message } = setup().refuse(body)
    expect(code).toBe('invalid_request')
    expect(message).toContain(sentence)
  })

  it('names the known fields, those of a number and no others', () => {
    expect(setup().refuse({ instructions: 'x', to: 'y' }).message).toBe(
      'Unknown field "to". Known fields: instructions, firstMessage, name, metadata, maxDuration, transferTo.',
    )
  })

  it('holds the dial policy for transferTo', () => {
    const { code, message } = setup().refuse({ instructions: 'x', transferTo: '+19005551234' })
    expect([code, message]).toEqual([
      'dial_policy',
      'transferTo: Numbers that begin with +1900 are blocked by calls.blocked_prefixes.',
    ])
  })

  it.each(['language', 'voice', 'record', 'resultSchema'])(
    'says of %s that it comes later',
    (name) => {
      expect(setup().refuse({ instructions: 'x', [name]: 'y' }).code).toBe('not_available_yet')
      expect(setup().parse({ instructions: 'x', [name]: null })).not.toHaveProperty(name)
    },
  )
})
