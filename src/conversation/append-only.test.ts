import { describe, expect, it } from 'vitest'
import { type FakeCallOptions, placeCall } from '../../test/kit/fake-call.ts'
import type { FakeReply } from '../../test/kit/fake-engines.ts'
import type { Message } from './ports.ts'

const PRESS = { name: 'press_digits', arguments: { digits: '1' } }

/** What the model read in a call of three turns, none of which was begun twice. */
async function requestsOf(o: FakeCallOptions): Promise<(readonly Message[])[]> {
  const call = await placeCall({ brief: { firstMessage: 'Hi there.' }, ...o })
  await call.run(3000)
  for (const text of ['For sales, press one.', 'Hello?', 'What is it?']) {
    call.leg.say(text, 1200)
    await call.run(9000)
  }
  const { warmedUp, asked } = call.engines
  return [warmedUp[0] ?? [], ...asked.map(({ messages }) => messages)]
}

/** Everything that a model has read or written is the beginning of what it reads next. */
function expectAppendOnly(requests: (readonly Message[])[]): void {
  for (const [i, messages] of requests.entries()) {
    const former = requests[i - 1] ?? []
    expect(messages.slice(0, former.length)).toEqual(former)
    expect(messages.length).toBeGreaterThan(former.length)
  }
}

/** Answers each human turn, the first one by pressing a key. */
function pressing(text: string, then: string) {
  return (messages: readonly Message[]): FakeReply => {
    const last = messages.at(-1)
    if (last?.role === 'tool') return { text: then }
    return last?.content === 'For sales, press one.'
      ? { text, tools: [PRESS] }
      : { text: 'It is about an order.' }
  }
}

describe('what the model reads', () => {
  it('begins with all that it read before, turn by turn, from the warm-up on', async () => {
    const requests = await requestsOf({ reply: () => ({ text: 'I see.  And when?' }) })
    expect(requests).toHaveLength(4)
    expectAppendOnly(requests)
  })

  it.each([
    ['with words before and after it', 'One  moment.  I press one.', 'Done, thank you.'],
    ['with words before it alone', 'One moment.', ''],
    ['with words after it alone', '', 'Done, thank you.'],
    ['without a word', '', ''],
  ])('stays so over the use of a tool %s', async (_, text, then) => {
    const requests = await requestsOf({ reply: pressing(text, then) })
    expect(requests.length).toBeGreaterThanOrEqual(5)
    expectAppendOnly(requests)
  })

  it('holds the tool call where it stood among the words', async () => {
    const requests = await requestsOf({ reply: pressing('One moment.', 'Done, thank you.') })
    const roles = requests
      .at(-1)
      ?.slice(2)
      .map(({ role, content, toolCalls }) => [role, content, toolCalls?.length])
    // Behind what it is to know of phone menus.
    expect(roles?.slice(1, 6)).toEqual([
      ['user', 'For sales, press one.', undefined],
      ['assistant', 'One moment.', 1],
      ['tool', 'The keys were pressed.', undefined],
      ['assistant', 'Done, thank you.', undefined],
      ['user', 'Hello?', undefined],
    ])
  })
})
