import { describe, expect, it } from 'vitest'
import { textOf } from '../../../../test/conformance/language-model.ts'
import type { Message, Tool } from '../../../conversation/ports.ts'
import { silentLog } from '../../../core/log.ts'
import { parseDialogue } from '../dialogue-file.ts'
import { createScriptedModel } from '../scripted-model.ts'
import pizzaAgent from './pizza-agent.dialogue' with { type: 'text' }

const tools: Tool[] = ['end_call', 'press_digits'].map((name) => ({
  name,
  description: '',
  parameters: { type: 'object' },
}))
const signal = new AbortController().signal

/** A call with the callee's lines, as they were heard; after each the agent answers. */
async function callWith(...heard: string[]) {
  const model = createScriptedModel({
    dialogue: parseDialogue(pizzaAgent, 'pizza-agent.dialogue'),
    name: 'pizza-agent.dialogue',
    log: silentLog,
  })
  const first = "Hi, I'd like to place an order for pickup please."
  const messages: Message[] = [{ role: 'assistant', content: first }]
  const said: string[] = []
  let hungUp = false
  for (const content of heard) {
    messages.push({ role: 'user', content })
    const deltas = await Array.fromAsync(model.reply({ messages, tools, maxTokens: 100, signal }))
    said.push(textOf(deltas))
    messages.push({ role: 'assistant', content: textOf(deltas) })
    hungUp ||= deltas.some((delta) => delta.type === 'tool' && delta.name === 'end_call')
  }
  const rows = messages.map(
    ({ role, content }) => `${role === 'user' ? 'human' : 'agent'}: ${content}`,
  )
  const content = `Summarise this call in one or two sentences.\n${rows.join('\n')}`
  const summary = await Array.fromAsync(
    model.reply({ messages: [{ role: 'user', content }], tools: [], maxTokens: 100, signal }),
  )
  return { said, hungUp, summary: textOf(summary) }
}

describe('the agent of the pizza call', () => {
  it('orders what the instructions say, truthfully, and hangs up after the confirmation', async () => {
    const call = await callWith(
      'What would you like to order?',
      'What size would you like?',
      'What name is that under?',
      'Anything else?',
      'It will be ready in twenty minutes.',
      'Have a nice day.',
    )
    expect(call.said).toEqual([
      "I'd like a large pepperoni pizza for pickup at seven p.m., please.",
      'A large, please.',
      "It's under Alex.",
      "No, thank you, that's all.",
      "Great, I'll pick it up at seven p.m.",
      'Thank you, goodbye!',
    ])
    expect(call.hungUp).toBe(true)
    expect(call.summary).toBe(
      'Ordered a large pepperoni pizza for pickup at 7pm. It is under the name Alex. It will be ready in twenty minutes.',
    )
  })

  it('copes with another order of questions and a wrong word here and there', async () => {
    const call = await callWith(
      "Joe's Pizza, how can I help you?",
      'Is that for pickup or delivery?',
      'That size would you like?',
      "What's your name?",
      'Would you like any else?',
      'That will be twenty dollars.',
      'Thank you for your order.',
      'Have a nine day.',
      'Goodbye, bye.',
    )
    expect(call.said.slice(0, 6)).toEqual([
      "I'd like a large pepperoni pizza for pickup at seven p.m., please.",
      'Pickup, please, at seven p.m.',
      'A large, please.',
      "It's under Alex.",
      "No, thank you, that's all.",
      "Okay, that's fine.",
    ])
    expect(call.hungUp).toBe(true)
    expect(call.summary).toContain('The total is twenty dollars.')
  })

  it('does not claim an order that was not taken', async () => {
    const wrong = await callWith('You have the wrong number.')
    expect(wrong).toMatchObject({
      hungUp: true,
      summary: 'Reached a wrong number; nothing was ordered.',
    })
    const closed = await callWith("We're closed on Monday.")
    expect(closed.summary).toBe('The order was not taken.')
    const cut = await callWith('What would you like to order?')
    expect(cut.summary).toContain('it was not confirmed')
  })

  it('answers any line with something', async () => {
    const { said } = await callWith('Hello?', 'Hm.', 'Hm.', 'Hm.', 'Hm.')
    expect(said.every((line) => line !== '')).toBe(true)
  })
})
