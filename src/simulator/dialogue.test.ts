import { describe, expect, it } from 'vitest'
import { parseDialogue } from './dialogue.ts'

describe('a dialogue file', () => {
  it('is read step by step, without its comments', () => {
    const text = `# a shop
answer after 1s
patience 700ms
listen 2s
say What would you like to order?   # asks
wait 250ms
listen
begin Let me
hang up
`
    expect(parseDialogue(text)).toEqual({
      answerAfterMs: 1000,
      patienceMs: 700,
      steps: [
        { step: 'listen', limitMs: 2000 },
        { step: 'say', text: 'What would you like to order?' },
        { step: 'wait', ms: 250 },
        { step: 'listen', limitMs: 15_000 },
        { step: 'begin', text: 'Let me' },
        { step: 'hang up' },
      ],
    })
  })

  it.each([
    ['sing a song', "line 1: 'sing a song' is no step"],
    ['\nsay', 'line 2: say what?'],
    ['begin', 'line 1: begin what?'],
    ['wait forever', "line 1: 'forever' is no duration"],
    ['hang on', "line 1: 'hang on' is no step"],
  ])('refuses %j and names the line', (text, reason) => {
    expect(() => parseDialogue(text)).toThrow(reason)
  })
})
