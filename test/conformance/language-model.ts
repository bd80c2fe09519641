import { describe, expect, it } from 'vitest'
import type { Delta, LanguageModel, Message, Tool } from '../../src/conversation/ports.ts'

/** What a model under test is to answer, whatever it is asked. */
export interface Scene {
  says: string
  /** Called after the text. */
  calls?: { name: string; arguments: Record<string, unknown> }
}

/** Makes an engine that plays a scene, and a way to let go of it. */
export type MakeEngine = (scene: Scene) => Promise<{ model: LanguageModel; stop(): Promise<void> }>

export const PRESS: Tool = {
  name: 'press_digits',
  description: 'Presses keys of the telephone.',
  parameters: { type: 'object', properties: { digits: { type: 'string' } } },
}
const CONVERSATION: readonly Message[] = [
  { role: 'system', content: 'You are on the telephone.' },
  { role: 'assistant', content: 'Hi.' },
  { role: 'user', content: 'For sales, press one.' },
]

/** What every language model engine owes the conversation. */
export function exerciseLanguageModel(name: string, makeEngine: MakeEngine): void {
  async function withModel(
    scene: Scene,
    use: (model: LanguageModel) => Promise<void>,
  ): Promise<void> {
    const { model, stop } = await makeEngine(scene)
    try {
      await use(model)
    } finally {
      await stop()
    }
  }

  function request(o: { tools?: Tool[]; maxTokens?: number; signal?: AbortSignal } = {}) {
    return {
      messages: CONVERSATION,
      tools: o.tools ?? [PRESS],
      maxTokens: o.maxTokens ?? 100,
      signal: o.signal ?? new AbortController().signal,
    }
  }

  describe(`${name} as a language model`, () => {
    it('streams a reply in pieces that join to the whole', async () => {
      await withModel({ says: 'A large pepperoni, please.' }, async (model) => {
        const deltas = await Array.fromAsync(model.reply(request()))
        expect(deltas.length).toBeGreaterThan(1)
        expect(textOf(deltas)).toBe('A large pepperoni, please.')
      })
    })

    it('hands over a tool call with its arguments, after the text', async () => {
      const calls = { name: 'press_digits', arguments: { digits: '1' } }
      await withModel({ says: 'One moment.', calls }, async (model) => {
        const deltas = await Array.fromAsync(model.reply(request()))
        expect(textOf(deltas)).toBe('One moment.')
        expect(deltas.at(-1)).toEqual({ type: 'tool', ...calls })
      })
    })

    it('leaves out a call of a tool that was not offered', async () => {
      const calls = { name: 'press_digits', arguments: { digits: '1' } }
      await withModel({ says: 'One moment.', calls }, async (model) => {
        const deltas = await Array.fromAsync(model.reply(request({ tools: [] })))
        expect(deltas.filter(({ type }) => type === 'tool')).toEqual([])
      })
    })

    it('throws AbortError when asked under an aborted signal', async () => {
      await withModel({ says: 'Hello there.' }, async (model) => {
        const reply = Array.fromAsync(model.reply(request({ signal: AbortSignal.abort('late') })))
        await expect(reply).rejects.toMatchObject({ name: 'AbortError' })
      })
    })

    it('throws AbortError in the middle of a reply, and says nothing more', async () => {
      await withModel({ says: 'one two three four five six seven' }, async (model) => {
        const stop = new AbortController()
        const heard: Delta[] = []
        const listen = async (): Promise<void> => {
          for await (const delta of model.reply(request({ signal: stop.signal }))) {
            heard.push(delta)
            stop.abort('canceled')
          }
        }
        await expect(listen()).rejects.toMatchObject({ name: 'AbortError' })
        expect(heard).toHaveLength(1)
      })
    })

    it('answers two requests at once, each whole', async () => {
      await withModel({ says: 'one two three' }, async (model) => {
        const replies = await Promise.all([1, 2].map(() => Array.fromAsync(model.reply(request()))))
        expect(replies.map(textOf)).toEqual(['one two three', 'one two three'])
      })
    })

    it('keeps a reply that does not end within bounds', async () => {
      await withModel({ says: 'word '.repeat(500).trim() }, async (model) => {
        const deltas = await Array.fromAsync(model.reply(request({ maxTokens: 20 })))
        expect(textOf(deltas).length).toBeLessThanOrEqual(20 * 8)
      })
    })

    it('warms up and tells that it is ready', async () => {
      await withModel({ says: 'Hello there.' }, async (model) => {
        await model.warmUp({
          messages: CONVERSATION.slice(0, 1),
          tools: [],
          signal: new AbortController().signal,
        })
        expect(await model.probe()).toMatchObject({ name: 'language model', state: 'ready' })
      })
    })
  })
}

export function textOf(deltas: readonly Delta[]): string {
  return deltas.map((delta) => (delta.type === 'text' ? delta.text : '')).join('')
}
