import { describe, expect, it } from 'vitest'
import type { Act } from './callee.ts'
import { judge } from './judge.ts'
import { parseScene } from './scene.ts'

const CALL = {
  status: 'completed',
  endReason: 'agent_hangup',
  transcript: [
    { role: 'agent', text: 'Hi, this is Alex.' },
    { role: 'human', text: 'Would you like to order?' },
    { role: 'agent', text: 'A large pizza.' },
  ],
}
const TURN: Act = { kind: 'turn', text: 'What would you like to order?', from: 0, to: 101 }

/** One turn of a second, answered after 310 ms. */
function callee(o: { keys?: string; gaveUp?: string } = {}) {
  const packets = Array.from({ length: 200 }, (_, i) => {
    const sent = i % 2 === 0
    const at = i * 10
    return { at, sent, loudness: sent === at <= 1000 && (sent || at > 1290) ? 3000 : 0 }
  })
  return {
    report: { acts: [TURN], keys: o.keys ?? '', gaveUp: o.gaveUp ?? null },
    packets,
  }
}

function problems(must: string, facts: Partial<typeof CALL> = {}, seen = callee()): string[] {
  return judge(parseScene('x', `[must]\n${must}`), { ...CALL, ...facts }, seen).result.problems
}

describe('a scene is judged', () => {
  it('passed when all that it demands holds, with its figures', () => {
    const must = `ended agent_hangup\ngap p95 310ms\nwords wrong 1\nlasts 2s
agent says large pizza\nhuman says like to order\nagent never says goodbye`
    const { result } = judge(parseScene('x', `[must]\n${must}`), CALL, callee())
    expect(result).toMatchObject({
      passed: true,
      problems: [],
      gapMs: { p50: 310, p95: 310 },
      wordsWrong: { wrong: 1, of: 6 },
      bargeInMs: null,
    })
  })

  it.each([
    ['ended voicemail', 'ended agent_hangup, not voicemail'],
    ['status busy', 'status completed, not busy'],
    ['gap p95 300ms', 'answered after 310 ms; at most 300 ms'],
    ['barge-in 100ms', 'stopped after a median of: there was nothing to measure'],
    ['goes on within 1s', 'went on after: there was nothing to measure'],
    ['after tone 1s', 'spoke after the tone: there was nothing to measure'],
    ['words wrong 0', '1 words wrong, not 0'],
    ['keys 12', "keys '1', not '12'"],
    ['lasts 1s', 'lasted 1990 ms, not 1000'],
    ['agent says goodbye', "the agent did not say 'goodbye'"],
    ['agent never says alex', "the agent said 'alex'"],
    ['human says pizza', "the human did not say 'pizza'"],
  ])('failed when it demands %j and it does not hold', (must, problem) => {
    expect(problems(must, {}, callee({ keys: '1' }))).toEqual([problem])
  })

  it('failed when the call did not complete, unless that was demanded', () => {
    expect(problems('', { status: 'failed' })).toEqual(['status failed, not completed'])
    expect(problems('status busy', { status: 'busy' })).toEqual([])
  })

  it('failed when the callee gave up', () => {
    expect(problems('', {}, callee({ gaveUp: 'nothing was said for 15000 ms' }))).toEqual([
      'the callee gave up: nothing was said for 15000 ms',
    ])
  })
})
