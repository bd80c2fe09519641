import { describe, expect, it } from 'vitest'
import { problemOfSchema, problemOfValue } from './judge.ts'

const ORDER = {
  type: 'object',
  properties: {
    size: { enum: ['small', 'large'] },
    price: { type: 'number', minimum: 0 },
    toppings: { type: 'array', items: { $ref: '#/$defs/topping' }, prefixItems: [{ const: 'x' }] },
    at: { type: ['string', 'null'], format: 'date-time' },
  },
  required: ['size'],
  additionalProperties: false,
  $defs: { topping: { type: 'string', pattern: '^\\p{L}+$' } },
}

describe('a schema', () => {
  it.each([
    {},
    ORDER,
    { $schema: 'https://json-schema.org/draft/2020-12/schema', type: 'object' },
    { $id: 'https://example.com/order', $ref: '#/$defs/a', $defs: { a: { type: 'string' } } },
    { type: 'object', properties: { again: { $ref: '#' } } },
    { 'x-note': 'unknown words are passed over', format: 'no-such-format' },
    { oneOf: [{ type: 'string' }, { type: 'null' }], unevaluatedProperties: false },
  ])('can be used: %j', (schema) => {
    expect(problemOfSchema(schema)).toBeNull()
  })

  it.each([
    [{ type: 'strng' }, /wrong at \/type: it must be equal to one of .*"string"/],
    [
      { properties: { size: { enum: 'large' } } },
      /wrong at \/properties\/size\/enum: it must be array/,
    ],
    [{ required: ['a', 'a'] }, /wrong at \/required/],
    [{ properties: { a: { pattern: '(' } } }, /cannot be used: .*[Rr]egular expression/],
    [{ $ref: 'https://example.com/other.json' }, /cannot be used: .*https:\/\/example\.com\/other/],
    [{ $ref: '#/$defs/missing' }, /cannot be used: .*missing/],
    [{ $schema: 'http://json-schema.org/draft-04/schema#' }, /cannot be used: .*draft-04/],
    [{ $async: true, type: 'object' }, /\$async/],
  ])('is refused with what is wrong: %j', (schema, problem) => {
    expect(problemOfSchema(schema)).toMatch(problem)
  })

  it('is not run as code, whatever its words are', () => {
    const evil = '"];globalThis.hurt=true;["'
    const schema = {
      properties: { [evil]: { const: evil, pattern: "'+(globalThis.hurt=true)+'" } },
      required: [evil],
      $comment: '*/globalThis.hurt=true/*',
    }
    problemOfValue(schema, { [evil]: evil })
    expect('hurt' in globalThis).toBe(false)
  })

  it('that nests beyond all measure is refused', () => {
    let schema: object = {}
    for (let i = 0; i < 3000; i++) schema = { not: schema }
    expect(typeof problemOfSchema(schema)).toBe('string')
  })
})

describe('a value', () => {
  it('is valid by the schema', () => {
    expect(
      problemOfValue(ORDER, { size: 'large', price: 12.5, toppings: ['x', 'Käse'] }),
    ).toBeNull()
  })

  it.each([
    [{}, "is wrong: it must have required property 'size'"],
    [
      { size: 'huge' },
      'is wrong at /size: it must be equal to one of the allowed values (["small","large"])',
    ],
    [{ size: 'large', more: 1 }, 'is wrong: it must NOT have additional properties ("more")'],
    [{ size: 'large', price: -1 }, 'is wrong at /price: it must be >= 0'],
    [
      { size: 'large', toppings: ['x', '1'] },
      'is wrong at /toppings/1: it must match pattern "^\\p{L}+$"',
    ],
    [[], 'is wrong: it must be object'],
  ])('is refused with what is wrong: %j', (value, problem) => {
    expect(problemOfValue(ORDER, value)).toBe(problem)
  })

  it('has only what is its own', () => {
    expect(problemOfValue({ required: ['toString'] }, {})).toMatch(/required property/)
  })

  it('is refused, and nothing breaks, by a schema that refers to itself without end', () => {
    expect(problemOfValue({ $ref: '#' }, {})).toMatch(/cannot be checked/)
  })
})
