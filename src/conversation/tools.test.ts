import { describe, expect, it } from 'vitest'
import { judgeTool, type ToolOptions, toolsFor } from './tools.ts'

const NOBODY = { transferTo: null, callBacks: false }
const SOMEBODY = { transferTo: '+15557654321', callBacks: false }

describe('the tools of a call', () => {
  it('hold a transfer only where there is somebody to transfer to', () => {
    const names = (o: ToolOptions): string[] => toolsFor(o).map(({ name }) => name)
    expect(names(NOBODY)).toEqual(['end_call', 'press_digits', 'wait'])
    expect(names(SOMEBODY)).toEqual(['end_call', 'press_digits', 'wait', 'transfer_call'])
    expect(JSON.stringify(toolsFor(SOMEBODY))).not.toContain('5557654321')
  })
})

describe('the judgement of a transfer', () => {
  it('knows one number, whatever the model says beside', () => {
    const verdict = { tool: 'transfer_call', number: '+15557654321' }
    for (const args of [{}, { reason: 'asks for a human' }, { number: '+1 (555) 765-4321' }])
      expect(judgeTool({ name: 'transfer_call', arguments: args }, SOMEBODY)).toEqual(verdict)
  })

  it.each([
    [{ number: '+19005550000' }, SOMEBODY],
    [{ to: 19005550000 }, SOMEBODY],
    [{ target: 'sip:911@evil.example' }, SOMEBODY],
    [{}, NOBODY],
    [{ number: '+15557654321' }, NOBODY],
  ])('refuses %j for %j', (args, o) => {
    expect(judgeTool({ name: 'transfer_call', arguments: args }, o)).toHaveProperty('refused')
  })
})

describe('the judgement of tool calls', () => {
  it('lets the call be ended and keys be pressed', () => {
    expect(judgeTool({ name: 'end_call', arguments: { reason: 'done' } }, NOBODY)).toEqual({
      tool: 'end_call',
    })
    expect(judgeTool({ name: 'press_digits', arguments: { digits: '12w#' } }, NOBODY)).toEqual({
      tool: 'press_digits',
      digits: '12w#',
    })
    expect(judgeTool({ name: 'press_digits', arguments: { digits: 1 } }, NOBODY)).toMatchObject({
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
    expect(judgeTool({ name, arguments: args }, NOBODY)).toHaveProperty('refused')
  })
})

describe('the judgement of a callback', () => {
  const callBacks: ToolOptions = { transferTo: null, callBacks: true }
  const judge = (args: Record<string, unknown>, o = callBacks) =>
    judgeTool({ name: 'schedule_callback', arguments: args }, o)

  it('takes a time, and nothing else', () => {
    expect(judge({ when: '2026-03-21T14:00' })).toEqual({
      tool: 'schedule_callback',
      when: '2026-03-21T14:00',
    })
    expect(toolsFor(callBacks).map(({ name }) => name)).toContain('schedule_callback')
  })

  it.each([
    {},
    { when: 7 },
    { when: 'x'.repeat(41) },
    { when: '2026-03-21T14:00', number: '+19005550000' },
    { when: '2026-03-21T14:00', instructions: 'Say something else.' },
  ])('refuses %j', (args) => {
    expect(judge(args)).toHaveProperty('refused')
  })

  it('refuses all where there is nobody to schedule it', () => {
    expect(judge({ when: '2026-03-21T14:00' }, NOBODY)).toHaveProperty('refused')
  })
})
