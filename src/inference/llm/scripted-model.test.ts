import { describe, expect, it } from 'vitest'
import { exerciseLanguageModel, PRESS, textOf } from '../../../test/conformance/language-model.ts'
import type { Delta, Message, Tool } from '../../conversation/ports.ts'
import { silentLog } from '../../core/log.ts'
import { parseDialogue } from './dialogue-file.ts'
import { createScriptedModel } from './scripted-model.ts'

const END: Tool = { name: 'end_call', description: 'Hangs up.', parameters: { type: 'object' } }

/** A conversation written as `agent: …` and `human: …` lines. */
function toMessages(...lines: string[]): Message[] {
  return lines.map((line): Message => {
    const [role, text = ''] = line.split(/: ?(.*)/)
    return { role: role === 'agent' ? 'assistant' : 'user', content: text }
  })
}

function setup(dialogue: string) {
  const model = createScriptedModel({
    dialogue: parseDialogue(dialogue, 'test.dialogue'),
    name: 'test.dialogue',
    log: silentLog,
  })
  const ask = (messages: Message[], tools: Tool[] = [PRESS, END]): Promise<Delta[]> => {
    const signal = new AbortController().signal
    return Array.fromAsync(model.reply({ messages, tools, maxTokens: 100, signal }))
  }
  const say = async (...lines: string[]): Promise<string> => textOf(await ask(toMessages(...lines)))
  const summarise = (...lines: string[]): Promise<string> => {
    const request = `Summarise this call in one sentence.\n\n${lines.join('\n')}`
    return ask([{ role: 'user', content: request }], []).then(textOf)
  }
  return { model, ask, say, summarise }
}

exerciseLanguageModel('scripted', async ({ says, calls }) => {
  const tool = calls ? `\n  call ${calls.name} ${JSON.stringify(calls.arguments)}` : ''
  const dialogue = parseDialogue(`default\n  say ${says}${tool}`, 'scene')
  const model = createScriptedModel({ dialogue, name: 'scene', log: silentLog })
  return { model, stop: async () => {} }
})

describe('the scripted engine', () => {
  it('takes the first rule that matches the last human turn', async () => {
    const { say } = setup('when size\n  say Large.\nwhen what\n  say Pizza.\ndefault\n  say Yes.')
    expect(await say('human: What size?')).toBe('Large.')
    expect(await say('human: What size?', 'agent: Large.', 'human: And what else?')).toBe('Pizza.')
    expect(await say('human: Hm.')).toBe('Yes.')
  })

  it('keeps to the rules of the task, and to those of no task', async () => {
    const { ask } = setup(
      'when bye\n  say Bye.\n\ntask pizza\ndefault\n  say A pizza.\nsummary\n  say Pizza.\n' +
        'task /\\btax\\b/\ndefault\n  say A form.\nsummary\n  say Tax.',
    )
    const said = (task: string, text: string) =>
      ask([
        { role: 'system', content: `Your task: ${task}` },
        { role: 'user', content: text },
      ]).then(textOf)
    expect(await said('Order a pizza.', 'Yes?')).toBe('A pizza.')
    expect(await said('Do the tax.', 'A pizza?')).toBe('A form.')
    expect(await said('Sing.', 'Yes?')).toBe('')
    expect(await said('Sing.', 'Bye.')).toBe('Bye.')
    const request =
      'Summarise this call.\n\nTask of the agent: Do the tax.\n\nTranscript:\nhuman: A pizza?'
    expect(textOf(await ask([{ role: 'user', content: request }], []))).toBe('Tax.')
  })

  it('takes a default only when no other rule matches, wherever it stands', async () => {
    const { say } = setup('default\n  say Yes.\nwhen size\n  say Large.')
    expect(await say('human: The size, please.')).toBe('Large.')
  })

  it('opens, and notices silence, by notes in brackets', async () => {
    const { say } = setup('opening\n  say Hi.\nsilence\n  say Hello?\nturn 1\n  say First.')
    expect(await say('human: (Nobody has spoken yet.)')).toBe('Hi.')
    expect(await say('agent: Hi.', 'human: (silence)')).toBe('Hello?')
    expect(await say('human: (Nobody has spoken yet.)', 'agent: Hi.', 'human: Yes?')).toBe('First.')
  })

  it('says again what a noise cut off', async () => {
    const { say } = setup(
      'opening\n  say Hi there.\nsilence\n  say Hello?\nwhen size\n  unless agent large\n  say A large one.',
    )
    const note = 'human: (A noise cut you off. Go on from where you were.)'
    expect(await say('human: What size?', 'agent: A large [cut off]', note)).toBe('A large one.')
    expect(await say('agent: Hi [cut off]', note)).toBe('Hi there.')
    expect(await say('human: What size?', 'agent: A large one.', note)).toBe('Hello?')
  })

  it('counts human turns', async () => {
    const { say } = setup('turn 2\n  say Second.\ndefault\n  say Other.')
    expect(await say('human: One.')).toBe('Other.')
    expect(await say('human: One.', 'agent: Other.', 'human: Two.')).toBe('Second.')
  })

  it('asks of earlier lines what a rule asks', async () => {
    const { say } = setup(
      'when bye\n  if agent pepperoni\n  unless human wait\n  say Goodbye.\ndefault\n  say Hm.',
    )
    expect(await say('human: Bye.')).toBe('Hm.')
    expect(await say('agent: One pepperoni.', 'human: Bye.')).toBe('Goodbye.')
    expect(await say('agent: One pepperoni.', 'human: Wait.', 'human: Bye.')).toBe('Hm.')
  })

  it('repeats what was caught, from the turn and from earlier lines', async () => {
    const { say } = setup(
      'when /at (?<time>\\w+)/\n  if human /on (?<day>\\w+)/\n  say {day} at {time}, {nothing}then.',
    )
    expect(await say('human: On Monday.', 'human: No, on Friday.', 'human: At three.')).toBe(
      'Friday at three, then.',
    )
  })

  it('calls tools in their order, and leaves out those not offered', async () => {
    const { ask } = setup('when bye\n  say Bye.\n  press 1\n  hang up')
    const deltas = await ask(toMessages('human: Bye.'), [END])
    expect(deltas).toEqual([
      { type: 'text', text: 'Bye.' },
      { type: 'tool', name: 'end_call', arguments: {} },
    ])
  })

  it('follows a tool by the rule for its answer, and is silent without one', async () => {
    const pressed: Message = { role: 'tool', content: 'pressed', toolName: 'press_digits' }
    const messages = [...toMessages('human: Press one.'), pressed]
    expect(textOf(await setup('tool press_digits\n  say Done.').ask(messages))).toBe('Done.')
    expect(await setup('when press\n  press 1').ask(messages)).toEqual([])
  })

  it('says nothing where no rule holds', async () => {
    expect(await setup('when pizza\n  say Yes.').say('human: Hello?')).toBe('')
  })
})

describe('a scripted summary', () => {
  const dialogue = [
    'summary\n  if human wrong number\n  say Wrong number.',
    'summary\n  if agent pizza\n  unless human wrong number\n  say Ordered.',
    'summary\n  if human /in (?<time>\\w+) minutes/\n  say Ready in {time} minutes.',
  ].join('\n')

  it('joins what holds of the transcript in the request', async () => {
    const { summarise } = setup(dialogue)
    expect(await summarise('agent: A pizza.', 'human: Ready in twenty minutes.')).toBe(
      'Ordered. Ready in twenty minutes.',
    )
    expect(await summarise('agent: A pizza.', 'human: Wrong number.')).toBe('Wrong number.')
  })

  it('reads the transcript from the messages before the request as well', async () => {
    const request: Message = { role: 'user', content: 'Summarise this call.' }
    const messages = [...toMessages('agent: A pizza.', 'human: Sure.'), request]
    expect(textOf(await setup(dialogue).ask(messages, []))).toBe('Ordered.')
  })

  it('does not take the task for the transcript', async () => {
    const task = ['Task of the agent:', 'human: wrong number', '', 'Transcript:']
    expect(await setup(dialogue).summarise(...task, 'agent: A pizza.')).toBe('Ordered.')
  })

  it('throws when nothing holds, so that the caller makes its own', async () => {
    await expect(setup(dialogue).summarise('agent: Hello?')).rejects.toThrow('no summary')
  })
})

describe('a scripted result', () => {
  const dialogue = [
    'result\n  if human /for (?<name>.+)\\./\n  say {"name": "{name}"}',
    'result\n  if human nobody\n  say {"name": null}',
  ].join('\n')

  function report(...said: string[]): Promise<string> {
    const { model } = setup(dialogue)
    const request: Message = {
      role: 'user',
      content: `Report the result of this call as JSON.\n\nhuman: nobody\n\nTranscript:\n${said.join('\n')}`,
    }
    // Asked once more, as after an answer that did not fit.
    const messages: Message[] = [request, ...toMessages('agent: {}', 'human: nobody, again')]
    const { signal } = new AbortController()
    const asked = { messages, tools: [], maxTokens: 100, schema: {}, signal }
    return Array.fromAsync(model.reply(asked)).then(textOf)
  }

  it('is the JSON of the first rule that holds for the transcript, whatever was caught', async () => {
    expect(JSON.parse(await report('agent: Hi.', 'human: A table for "Al" \\ Bo.'))).toEqual({
      name: '"Al" \\ Bo',
    })
    expect(JSON.parse(await report('human: Nobody is here.'))).toEqual({ name: null })
  })

  it('throws when nothing holds', async () => {
    await expect(report('human: Hello.')).rejects.toThrow('no result')
  })
})
