import { describe, expect, it } from 'vitest'
import { SimClock, settle } from '../../test/kit/sim-clock.ts'
import type { Probe } from '../core/probe.ts'
import { createReadiness } from './readiness.ts'

function setup() {
  const clock = new SimClock()
  const asked: string[] = []
  /** What each engine does when it is asked; ready when nothing is said. */
  const does: Record<string, () => Promise<Probe>> = {}
  const engine = (name: string, builtIn = false) => ({
    name,
    builtIn,
    probe() {
      asked.push(name)
      return does[name]?.() ?? Promise.resolve<Probe>({ name, state: 'ready' })
    },
  })
  const readiness = createReadiness({
    clock,
    engines: [engine('speech-detector', true), engine('language model'), engine('voice')],
    trunkNumbers: [],
    hasTrunk: true,
  })
  return { clock, asked, does, readiness }
}

const states = (probes: readonly Probe[]) => probes.map(({ name, state }) => `${name} ${state}`)

describe('the readiness of the engines', () => {
  it('is away, being asked, until they have answered once', async () => {
    const { clock, does, readiness } = setup()
    const answer = Promise.withResolvers<Probe>()
    does.voice = () => answer.promise
    await readiness.start()
    let first = false
    void readiness.first().then(() => {
      first = true
    })
    await clock.advance(3000)
    expect(readiness.probes()).toMatchObject([{ name: 'engines', state: 'away' }])
    expect([readiness.engines().state, first]).toEqual(['unknown', false])
    answer.resolve({ name: 'voice', state: 'ready' })
    await settle()
    expect(states(readiness.probes())).toEqual([
      'speech-detector ready',
      'language model ready',
      'voice ready',
    ])
    expect([readiness.engines().state, first]).toEqual(['ready', true])
  })

  it('tells an engine that hangs as away, by its name, and does not ask it a second time meanwhile', async () => {
    const { clock, asked, does, readiness } = setup()
    const answer = Promise.withResolvers<Probe>()
    does.voice = () => answer.promise
    await readiness.start()
    await clock.advance(15_000)
    await readiness.first()
    expect(states(readiness.probes())).toContain('voice away')
    expect(readiness.engines()).toMatchObject({ state: 'away' })
    expect(readiness.engines().reason).toContain('voice: no answer within 15 s.')
    await clock.advance(60_000)
    expect(asked.filter((name) => name === 'voice')).toHaveLength(1)
    answer.resolve({ name: 'voice', state: 'ready' })
    await clock.advance(20_000)
    expect(readiness.engines().state).toBe('ready')
  })

  it('tells an engine that throws as away', async () => {
    const { does, readiness } = setup()
    does.voice = () => Promise.reject(new Error('socket closed'))
    await readiness.start()
    await readiness.first()
    expect(readiness.engines().reason).toContain('voice: socket closed.')
  })

  it('begins what is built in only where nothing else is missing', async () => {
    const { clock, asked, does, readiness } = setup()
    does.voice = async () => ({ name: 'voice', state: 'missing' })
    await readiness.start()
    await readiness.first()
    expect(asked).toEqual(['language model', 'voice'])
    delete does.voice
    await clock.advance(5000)
    expect(asked).toContain('speech-detector')
  })

  it('lets nobody wait once it is stopped, or was never started', async () => {
    const { clock, does, readiness } = setup()
    await readiness.first()
    does.voice = () => new Promise(() => {})
    await readiness.start()
    const first = readiness.first()
    await readiness.stop()
    await first
    await clock.advance(60_000)
    expect(readiness.engines().state).toBe('unknown')
  })
})
