import { describe, expect, it } from 'vitest'
import { type FakeCallOptions, placeCall } from '../../test/kit/fake-call.ts'
import type { CallBackOutcome } from '../calls/ports.ts'

/** A call whose human wants to be called later; the model schedules what `args` say, as often as it is asked. */
async function setup(
  o: {
    args?: Record<string, unknown>
    outcome?: CallBackOutcome
    throws?: boolean
    offered?: boolean
  } = {},
) {
  const scheduled: { callId: string; at: string }[] = []
  const args = o.args ?? { when: '2026-03-21T14:00' }
  const options: FakeCallOptions = {
    brief: { firstMessage: 'Hi there.' },
    reply: (messages) =>
      messages.at(-1)?.role === 'tool'
        ? { text: 'Noted.' }
        : { tools: [{ name: 'schedule_callback', arguments: args }] },
  }
  if (o.offered !== false)
    options.callBack = async (callId, at) => {
      if (o.throws) throw new Error('disk full')
      scheduled.push({ callId, at: new Date(at).toISOString() })
      return o.outcome ?? { ok: true }
    }
  const call = await placeCall(options)
  const says = async (text: string) => {
    call.leg.say(text, 1000)
    await call.run(4000)
    return call.engines.asked.at(-1)?.messages.at(-1)?.content ?? ''
  }
  await call.run(2000)
  return { call, scheduled, says }
}

describe('a callback', () => {
  it('is scheduled on the clocks of the account, and the model is told so', async () => {
    const { call, scheduled, says } = await setup()
    expect(await says('Call me back at two tomorrow.')).toMatch(/^You will call this number again/)
    expect(scheduled).toEqual([{ callId: expect.any(String), at: '2026-03-21T13:00:00.000Z' }])
    expect(call.sounds().at(-1)?.text).toBe('Noted.')
    expect(call.events.filter(({ event }) => event.type === 'tool')).toHaveLength(1)
  })

  it('is scheduled once a call', async () => {
    const { scheduled, says } = await setup()
    await says('Call me back at two tomorrow.')
    expect(await says('And call me once more, please.')).toBe('Error: a call is scheduled already.')
    expect(scheduled).toHaveLength(1)
  })

  it.each([
    ['at no time', { args: { when: 'tomorrow at two' } }, /^Error: when must be/],
    [
      'to another number',
      { args: { when: '2026-03-21T14:00', number: '+1900' } },
      /^Error: only when/,
    ],
    [
      'that is refused',
      { outcome: { ok: false, reason: 'too late' } as const },
      /^Error: .*too late/,
    ],
    ['that cannot be written down', { throws: true }, /^Error: the call could not/],
    ['where there is none', { offered: false }, /^Error: no call can be scheduled/],
  ])('%s is an error to the model, and the call goes on', async (_, o, expected) => {
    const { call, says } = await setup(o)
    expect(await says('Call me back at two tomorrow.')).toMatch(expected)
    expect(call.sounds().at(-1)?.text).toBe('Noted.')
    expect(call.talk).toBeNull()
  })

  it('is offered only where somebody schedules it', async () => {
    for (const offered of [true, false]) {
      const { call, says } = await setup({ offered })
      await says('Hello.')
      const names = call.engines.asked[0]?.tools.map(({ name }) => name) ?? []
      expect(names.includes('schedule_callback')).toBe(offered)
    }
  })
})
