import { describe, expect, it } from 'vitest'
import { judgeTool } from './tools.ts'

describe('the judgement of tool calls', () => {
  it('lets the call be ended and keys be pressed', () => {
    expect(judgeTool({ name: 'end_call', arguments: { reason: 'done' } })).toEqual({
      tool: 'end_call',
    })
    expect(judgeTool({ name: 'press_digits', arguments: { digits: '12w#' } })).toEqual({
      tool: 'press_digits',
      digits: '12w#',
    })
    expect(judgeTool({ name: 'press_digits', arguments: { digits: 1 } })).toMatchObject({
      digits: '1',
    })
  })

  it.each([
    ['dial', { number: '+1555' }],
    ['end_call', { reason: 'x'.repeat(5000) }],
    ['press_digits', {}],
    ['press_digits', { digits: '' }],
    ['press_digits', { digits: '1;2' }],
    ['press_digits', { digits: '1'.repeat(33) }],
    ['press_digits', { digits: ['1'] }],
    ['press_digits', { digits: 1e21 }],
  ])('refuses %s %j', (name, args) => {
    expect(judgeTool({ name, arguments: args })).toHaveProperty('refused')
  })
})
