import { describe, expect, it } from 'vitest'
import type { Message } from '../../conversation/ports.ts'
import { fitMessages } from './fit-messages.ts'

const SYSTEM: Message = { role: 'system', content: 'x'.repeat(300) }
const turn = (i: number): Message[] => [
  { role: 'user', content: `question ${i} ${'y'.repeat(80)}` },
  { role: 'assistant', content: `answer ${i} ${'z'.repeat(80)}` },
]
const talk = (turns: number): Message[] => [
  SYSTEM,
  ...Array.from({ length: turns }, (_, i) => turn(i)).flat(),
]
const cut = (messages: readonly Message[], contextTokens = 1000) =>
  fitMessages(messages, { contextTokens, tools: [], maxTokens: 100 })
const charsOf = (messages: readonly Message[]): number =>
  messages.reduce((sum, { content }) => sum + content.length, 0)

describe('the fitting of messages', () => {
  it('leaves alone what fits', () => {
    const messages = talk(5)
    expect(cut(messages)).toBe(messages)
  })

  it('leaves out the oldest of what was said, says so, and keeps the system prompt and the last word', () => {
    const fitted = cut(talk(40))
    expect(fitted[0]).toEqual(SYSTEM)
    expect(fitted[1]?.content).toMatch(/left out/)
    expect(fitted[2]?.role).toBe('user')
    expect(fitted.at(-1)).toEqual(talk(40).at(-1))
    expect(charsOf(fitted) / 3).toBeLessThan(900)
  })

  it('cuts rarely: most requests begin with the former', () => {
    let former: readonly Message[] = []
    let cuts = 0
    for (let turns = 1; turns <= 60; turns++) {
      const fitted = cut(talk(turns))
      if (JSON.stringify(fitted.slice(0, former.length)) !== JSON.stringify(former)) cuts++
      former = fitted
    }
    expect(cuts).toBeGreaterThan(1)
    expect(cuts).toBeLessThanOrEqual(12)
  })

  it('keeps a last message that fills the context by itself', () => {
    const last: Message = { role: 'user', content: 'w'.repeat(5000) }
    expect(cut([...talk(3), last]).at(-1)).toEqual(last)
    expect(cut([SYSTEM], 10)).toEqual([SYSTEM])
  })
})
