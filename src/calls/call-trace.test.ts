import { describe, expect, it } from 'vitest'
import { SimClock } from '../../test/kit/sim-clock.ts'
import {
  type AttemptTrace,
  type CallTrace,
  createCallTraces,
  type TraceMessage,
} from './call-trace.ts'

const message = (summary: string): TraceMessage => ({
  ...{ at: 1, direction: 'sent', trunk: 'main', transport: 'UDP', remote: '192.0.2.1:5060' },
  ...{ summary, text: summary, repeated: 0 },
})

/** Traces over a store in memory; `save` may fail. */
function setup(o: { save?: () => Promise<void> } = {}) {
  const clock = new SimClock()
  const stored: AttemptTrace[] = []
  const warnings: string[] = []
  const log = {
    debug() {},
    info() {},
    error() {},
    warn: (text: string) => void warnings.push(text),
  }
  const traces = createCallTraces({
    clock,
    log,
    calls: {
      traces: async () => [...stored],
      async saveTrace(_id, trace) {
        await o.save?.()
        stored.push(trace)
      },
    },
  })
  const trace: CallTrace = { messages: [], omitted: 0, media: null }
  const done = Promise.withResolvers<void>()
  const source = { read: () => structuredClone(trace), complete: done.promise }
  return { clock, traces, stored, warnings, trace, source, done }
}

describe('the traces of calls', () => {
  it('tell a running call as it is now, after the attempts that were stored', async () => {
    const { traces, stored, trace, source } = setup()
    stored.push({ attempt: 1, ...trace, messages: [message('INVITE')] })
    traces.begin('c', 2, source)
    expect((await traces.read('c')).map(({ attempt }) => attempt)).toEqual([1])
    trace.messages.push(message('INVITE'))
    expect((await traces.read('c')).map(({ attempt }) => attempt)).toEqual([1, 2])
  })

  it('store what passed when it is complete', async () => {
    const { clock, traces, stored, trace, source, done } = setup()
    traces.begin('c', 1, source)
    trace.messages.push(message('INVITE'))
    const ended = traces.end('c')
    await clock.advance(10)
    expect(stored).toEqual([])
    trace.messages.push(message('BYE'))
    done.resolve()
    await ended
    expect(stored).toEqual([{ attempt: 1, ...trace }])
    expect(await traces.read('c')).toHaveLength(1)
    await traces.end('c')
    expect(stored).toHaveLength(1)
  })

  it('wait for nobody longer than a quarter of a second', async () => {
    const { clock, traces, stored, trace, source } = setup()
    traces.begin('c', 1, source)
    trace.messages.push(message('INVITE'))
    const ended = traces.end('c')
    await clock.advance(250)
    await ended
    expect(stored).toHaveLength(1)
  })

  it('store nothing where nothing was sent', async () => {
    const { traces, stored, source, done } = setup()
    traces.begin('c', 1, source)
    done.resolve()
    await traces.end('c')
    expect(stored).toEqual([])
    expect(await traces.read('c')).toEqual([])
  })

  it('let a call end that cannot be stored, and say so', async () => {
    const save = (): Promise<void> => Promise.reject(new Error('disk full'))
    const { traces, warnings, trace, source, done } = setup({ save })
    traces.begin('c', 1, source)
    trace.messages.push(message('INVITE'))
    done.resolve()
    await traces.end('c')
    expect(warnings).toEqual(['the trace of a call was not stored'])
    expect(await traces.read('c')).toEqual([])
  })
})
