import { afterEach, describe, expect, it } from 'vitest'
import { cleanUpCli, setupCli } from '../../test/kit/cli.ts'
import type { SceneReport } from './appliance.ts'

afterEach(cleanUpCli)

function scene(o: Partial<SceneReport>): SceneReport {
  return {
    name: 'quick',
    about: 'answers at once',
    passed: true,
    problems: [],
    status: 'completed',
    endReason: 'agent_hangup',
    gapMs: { p50: 310, p95: 420 },
    bargeInMs: null,
    goesOnWithinMs: null,
    falseInterruptions: 0,
    wordsWrong: { wrong: 1, of: 30 },
    keys: '',
    lastedMs: 20_000,
    transcript: [],
    ...o,
  }
}

function setup() {
  const cli = setupCli()
  const silence = { gapMs: null, wordsWrong: null }
  cli.appliance.gym = [
    scene({}),
    scene({ name: 'busy', about: 'is busy', status: 'busy', endReason: null, ...silence }),
    scene({ name: 'interrupter', bargeInMs: { p50: 80, p95: 95 }, keys: '1' }),
  ]
  return cli
}

describe('selftest', () => {
  it('prints a line a scene and what came of all', async () => {
    const { run, terminal } = setup()
    expect(await run('selftest')).toBe(0)
    expect(terminal.outLines).toEqual([
      'passed  quick        gap 310/420 ms, false interruptions 0, words wrong 1 of 30, agent_hangup',
      'passed  busy         busy',
      'passed  interrupter  gap 310/420 ms, barge-in 80 ms, false interruptions 0, words wrong 1 of 30, keys 1, agent_hangup',
      'all passed: 3 of 3 scenes in 12 s; gap 310/420 ms',
    ])
  })

  it('says what did not hold, and fails', async () => {
    const { run, terminal, appliance } = setup()
    appliance.gym.push(scene({ name: 'fax', passed: false, problems: ['lasted 9 s', 'spoke'] }))
    expect(await run('selftest')).toBe(1)
    expect(terminal.outLines.slice(3, 6)).toEqual([
      expect.stringMatching(/^FAILED {2}fax/),
      '        lasted 9 s',
      '        spoke',
    ])
    expect(terminal.outLines.at(-1)).toMatch('not all passed: 3 of 4 scenes')
  })

  it('plays the scenes that are named', async () => {
    const { run, terminal } = setup()
    expect(await run('selftest', '--scene', 'busy', 'interrupter')).toBe(0)
    expect(terminal.outLines).toHaveLength(3)
  })

  it('refuses the name of no scene and plays none', async () => {
    const { run, terminal } = setup()
    expect(await run('selftest', '--scene', 'busy', 'opera')).toBe(2)
    expect(terminal.errLines[0]).toMatch("no scene 'opera'; there are quick, busy, interrupter")
    expect(terminal.outLines).toEqual([])
  })

  it('prints one JSON object with --json, and names scenes with --list', async () => {
    const { run, terminal, appliance } = setup()
    expect(await run('selftest', '--json')).toBe(0)
    expect(terminal.outLines.map((line) => JSON.parse(line))).toMatchObject([
      { passed: true, scenes: appliance.gym, seconds: 12 },
    ])
    terminal.outLines.length = 0
    expect(await run('selftest', '--list')).toBe(0)
    expect(terminal.outLines[1]).toBe('busy         is busy')
  })

  it('is ended by Ctrl-C', async () => {
    const { run, terminal, appliance } = setup()
    appliance.selftest = async ({ signal }) => {
      terminal.signal()
      return {
        passed: !signal.aborted,
        scenes: [],
        gapMs: null,
        bargeInMs: null,
        seconds: 1,
      }
    }
    expect(await run('selftest')).toBe(1)
    expect(terminal.errLines).toEqual(['landline: ended before all scenes were played'])
  })
})
