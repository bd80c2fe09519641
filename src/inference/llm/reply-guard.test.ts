import { describe, expect, it } from 'vitest'
import { PRESS, textOf } from '../../../test/conformance/language-model.ts'
import { silentLog } from '../../core/log.ts'
import { ReplyGuard } from './reply-guard.ts'

function setup(maxTokens = 100) {
  const reasons: unknown[] = []
  const log = { ...silentLog, warn: (_: string, fields = {}) => reasons.push(fields) }
  const guard = new ReplyGuard({ tools: [PRESS], maxTokens, log })
  const passes = (...pieces: string[]): string =>
    textOf([...pieces.flatMap((piece) => guard.text(piece)), ...guard.flush()])
  return { guard, passes, reasons }
}

describe('the reply guard', () => {
  it('passes text as it comes', () => {
    const { guard } = setup()
    expect(guard.text('Hello')).toEqual([{ type: 'text', text: 'Hello' }])
    expect(guard.text(' there')).toEqual([{ type: 'text', text: ' there' }])
    expect(guard.flush()).toEqual([])
  })

  it('takes out thoughts, however their tags are cut', () => {
    const whole = '<think>They want a <b>pizza</b>.</think>\n\nA large, please.'
    expect(setup().passes(whole)).toBe('A large, please.')
    expect(setup().passes(...whole)).toBe('A large, please.')
    expect(setup().passes('Yes <think>hm</think>and no')).toBe('Yes and no')
  })

  it('never speaks a thought that does not end', () => {
    expect(setup().passes('<think>', 'on and on')).toBe('')
  })

  it('is full when a thought goes on and on', () => {
    const { guard } = setup(2)
    guard.text('<think>')
    for (let i = 0; i < 20; i++) guard.text('and so on ')
    expect(guard.full).toBe(true)
  })

  it('does a call that is written out in the text, and never speaks it', () => {
    const whole =
      'One moment.<tool_call>\n{"name": "press_digits", "arguments": {"digits": "1"}}\n</tool_call>'
    for (const pieces of [[whole], [...whole]]) {
      const { guard } = setup()
      const deltas = [...pieces.flatMap((piece) => guard.text(piece)), ...guard.flush()]
      expect(textOf(deltas)).toBe('One moment.')
      expect(deltas.at(-1)).toEqual({
        type: 'tool',
        name: 'press_digits',
        arguments: { digits: '1' },
      })
    }
  })

  it.each([
    '<tool_call>{"name": "press_digits", "argum',
    '<tool_call>{"name": "press_digits"</tool_call>',
    '<tool_call>[1]</tool_call>',
    '<tool_call>{"name": "rm", "arguments": {}}</tool_call>',
    `<tool_call>{"name": "press_digits", "arguments": "${'1'.repeat(9000)}"}</tool_call>`,
  ])('refuses half a call in the text: %s', (text) => {
    const { guard, reasons } = setup(2000)
    expect([...guard.text(`Well. ${text}`), ...guard.flush()]).toEqual([
      { type: 'text', text: 'Well. ' },
    ])
    expect(reasons).toHaveLength(1)
  })

  it('gives back what only began like a tag', () => {
    expect(setup().passes('1 <', ' 2 <thi', 's')).toBe('1 < 2 <this')
    expect(setup().passes('a <th')).toBe('a <th')
  })

  it('is full at eight characters a token, and cuts there', () => {
    const { guard, passes } = setup(2)
    expect(passes('0123456789', '0123456789')).toBe('0123456789012345')
    expect(guard.full).toBe(true)
  })

  it('takes arguments as an object, as JSON, or none', () => {
    const { guard } = setup()
    const given = [{ digits: '1' }, '{"digits":"1"}', undefined, '']
    expect(given.map((value) => guard.tool('press_digits', value))).toEqual([
      [{ type: 'tool', name: 'press_digits', arguments: { digits: '1' } }],
      [{ type: 'tool', name: 'press_digits', arguments: { digits: '1' } }],
      [{ type: 'tool', name: 'press_digits', arguments: {} }],
      [{ type: 'tool', name: 'press_digits', arguments: {} }],
    ])
  })

  it('refuses what is no call of an offered tool', () => {
    const { guard, reasons } = setup()
    const refused = [
      guard.tool('rm', {}),
      guard.tool(undefined, {}),
      guard.tool('press_digits', '{"digits'),
      guard.tool('press_digits', [1]),
      guard.tool('press_digits', 'x'.repeat(9000)),
    ]
    expect(refused.flat()).toEqual([])
    expect(reasons).toHaveLength(5)
  })

  it('refuses the ninth call of one reply', () => {
    const { guard } = setup()
    const calls = Array.from({ length: 12 }, () => guard.tool('press_digits', {}))
    expect(calls.flat()).toHaveLength(8)
  })
})
