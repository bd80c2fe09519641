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
pause 700ms
think 2s
interrupt after 1500ms Hold on a second.
mumble after 2s Okay.
tone 1000hz 400ms
music 8s
keys 1#
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
        { step: 'pause', ms: 700 },
        { step: 'think', ms: 2000 },
        { step: 'interrupt', afterMs: 1500, text: 'Hold on a second.' },
        { step: 'mumble', afterMs: 2000, text: 'Okay.' },
        { step: 'tone', hz: 1000, ms: 400 },
        { step: 'music', ms: 8000 },
        { step: 'keys', keys: '1#' },
        { step: 'hang up' },
      ],
    })
  })

  it.each([
    ['sing a song', "line 1: 'sing a song' is no step"],
    ['\nsay', 'line 2: say what?'],
    ['begin', 'line 1: begin what?'],
    ['interrupt Stop.', 'line 1: interrupt after how long, and with which words?'],
    ['tone 1000 400ms', "line 1: tone: '1000 400ms' is no tone such as 1000hz 400ms"],
    ['keys one', "line 1: 'one' are no keys"],
    ['wait forever', "line 1: 'forever' is no duration"],
    ['hang on', "line 1: 'hang on' is no step"],
  ])('refuses %j and names the line', (text, reason) => {
    expect(() => parseDialogue(text)).toThrow(reason)
  })
})
