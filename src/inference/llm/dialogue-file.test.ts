import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseDialogue, readDialogueFile } from './dialogue-file.ts'

describe('a dialogue file', () => {
  it('holds rules in their order, with what they say and do', () => {
    const { rules } = parseDialogue(
      [
        '# a comment',
        'opening',
        '  say Hi,',
        '  say this is Alex.',
        '',
        'when press one | press two',
        '  if agent alex',
        '  unless human robot',
        '  press 12#',
        '  call note {"text": "pressed"}',
        'turn 3',
        '\thang up',
      ].join('\r\n'),
      'x.dialogue',
    )
    expect(rules.map(({ occasion }) => occasion.on)).toEqual(['opening', 'when', 'turn'])
    expect(rules[0]?.say).toBe('Hi, this is Alex.')
    expect(rules[1]?.conditions).toMatchObject([
      { wanted: true, role: 'agent' },
      { wanted: false, role: 'human' },
    ])
    expect(rules[1]?.tools).toEqual([
      { name: 'press_digits', arguments: { digits: '12#' } },
      { name: 'note', arguments: { text: 'pressed' } },
    ])
    expect(rules[2]?.tools).toEqual([{ name: 'end_call', arguments: {} }])
  })

  it.each([
    ['  say Hi', 'line 1: an indented line has no rule above it'],
    ['opening\n  sy Hi', 'line 2: "sy" is unknown in a rule'],
    ['task\ndefault\n  say Hi', 'line 1: missing: the words of the task'],
    ['when\n  say Hi', 'line 1: missing: the words to listen for'],
    ['\n\nwhenever pizza', 'line 3: "whenever" begins no rule'],
    ['turn zero', 'line 1: "turn" needs a number'],
    ['opening now', 'line 1: nothing may follow "opening"'],
    ['when a\n  press 1;2', 'line 2: "press" needs up to 32 keys'],
    ['when a\n  hang on', 'line 2: "hang" is followed by "up"'],
    ['when a\n  call x {1}', 'line 2: the arguments of x are not JSON'],
    ['when a\n  call x [1]', 'line 2: the arguments of x are no JSON object'],
    ['when a\n  if bot hello', 'line 2: a condition names "agent" or "human"'],
    ['when /(/', 'line 1: "/(/" is not a valid regular expression'],
    ['summary\n  hang up', 'line 2: a summary only has say, if and unless'],
    ['result\n  hang up', 'line 2: a result only has say, if and unless'],
    ['# nothing', 'it holds no rule'],
  ])('%j is refused with its line', (text, reason) => {
    expect(() => parseDialogue(text, 'x.dialogue')).toThrow(`x.dialogue`)
    expect(() => parseDialogue(text, 'x.dialogue')).toThrow(reason)
  })

  it('is refused when it is too large to be one', () => {
    expect(() => parseDialogue('#'.repeat(300_000), 'x.dialogue')).toThrow('256 KiB')
  })

  it('is read from disk, and a file that is not there is named', () => {
    const path = join(import.meta.dirname, 'dialogues/pizza-agent.dialogue')
    expect(readDialogueFile(path).rules.length).toBeGreaterThan(10)
    expect(() => readDialogueFile('/nowhere/x.dialogue')).toThrow(
      'reading the dialogue file /nowhere/x.dialogue: ',
    )
  })
})
