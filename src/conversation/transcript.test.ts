import { describe, expect, it } from 'vitest'
import { createTranscript } from './transcript.ts'

const spoken = { at: 0, filler: false }

describe('the transcript', () => {
  it('marks to the model what was cut off, and shows people only what was heard', () => {
    const transcript = createTranscript()
    transcript.begin(1, { ...spoken, text: 'One two three.' })
    transcript.finish(1, 'One two', false)
    expect(transcript.turns()).toEqual([{ role: 'agent', text: 'One two', at: 0 }])
    expect(transcript.messages()).toEqual([{ role: 'assistant', content: 'One two [cut off]' }])
  })

  it('forgets a turn of which no word was heard', () => {
    const transcript = createTranscript()
    transcript.begin(1, { ...spoken, text: 'One.' })
    expect(transcript.finish(1, '', false)).toBeNull()
    expect(transcript.human('Hello?', 5).index).toBe(0)
  })

  it('keeps the place of a turn without a word when another follows it', () => {
    const transcript = createTranscript()
    transcript.begin(1, { ...spoken, text: 'One.' })
    expect(transcript.human('Hello?', 5).index).toBe(1)
    expect(transcript.finish(1, '', false)).toEqual({
      turn: { role: 'agent', text: '…', at: 0 },
      index: 0,
    })
  })

  it('adds to the last human turn what goes on with it, unless something came between', () => {
    const transcript = createTranscript()
    transcript.human('One pizza.', 5)
    expect(transcript.messages({ text: 'And a salad.', continues: true })).toEqual([
      { role: 'user', content: 'One pizza. And a salad.' },
    ])
    expect(transcript.human('And a salad.', 900, true)).toEqual({
      turn: { role: 'human', text: 'One pizza. And a salad.', at: 5 },
      index: 0,
    })
    transcript.begin(1, { ...spoken, text: 'Fine.' })
    expect(transcript.human('And a beer.', 2000, true).index).toBe(2)
    expect(transcript.messages({ text: 'x', continues: false })).toHaveLength(4)
  })

  it('shows fillers to people but not to the model', () => {
    const transcript = createTranscript()
    transcript.begin(1, { at: 0, text: 'One moment.', filler: true })
    transcript.finish(1, 'One moment.', true)
    expect(transcript.turns()).toHaveLength(1)
    expect(transcript.messages()).toEqual([])
  })

  it('only ever appends for the model', () => {
    const transcript = createTranscript()
    transcript.begin(1, { ...spoken, text: 'Hi.' })
    transcript.finish(1, 'Hi.', true)
    transcript.human('And now?', 5)
    const before = transcript.messages()
    transcript.tool({ name: 'press_digits', arguments: { digits: '1' } }, 'The keys were pressed.')
    transcript.begin(2, { ...spoken, text: 'Done.' })
    expect(transcript.messages().slice(0, before.length)).toEqual(before)
    expect(transcript.messages().map(({ role }) => role)).toEqual([
      'assistant',
      'user',
      'assistant',
      'tool',
      'assistant',
    ])
  })

  it('tells the model what speaks, before the words it is about, and people nothing of it', () => {
    const transcript = createTranscript()
    const text = 'For sales, press one.'
    const next = transcript.messages({ text, continues: false })
    expect(next[0]?.content).toMatch(/^\(An automatic phone menu [^()]*\)$/)
    expect(next[1]?.content).toBe(text)
    transcript.human(text, 5)
    expect(transcript.messages()).toEqual(next)
    expect(transcript.turns()).toEqual([{ role: 'human', text, at: 5 }])
  })
})
