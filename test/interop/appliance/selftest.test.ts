import { readdirSync } from 'node:fs'
import { expect, it } from 'vitest'
import { runBinary } from '../../kit/appliance.ts'
import { endAfterEach } from '../../kit/end-after-each.ts'
import { scratchDirectory } from '../../kit/peers.ts'

const end = endAfterEach()

it('the executable phones its own callee: a scene refused, a scene with words, keys and gaps', async () => {
  const { path, remove } = scratchDirectory()
  end(remove)
  const env = { HOME: path, TMPDIR: path }
  const args = ['selftest', '--scene', 'busy', 'menu', '--json']
  const { code, out, err } = await runBinary(args, { cwd: path, env })
  const report = JSON.parse(out)
  expect(report.scenes, err).toMatchObject([
    { name: 'menu', problems: [], keys: '1', falseInterruptions: 0, endReason: 'agent_hangup' },
    { name: 'busy', problems: [], status: 'busy' },
  ])
  const [menu] = report.scenes
  expect(menu.gapMs.p50).toBeGreaterThan(200)
  expect(menu.gapMs.p50).toBeLessThan(1500)
  expect(menu.wordsWrong.of).toBe(18)
  expect(menu.wordsWrong.wrong).toBeLessThan(4)
  expect({ code, passed: report.passed }).toEqual({ code: 0, passed: true })
  expect(readdirSync(path)).toEqual([])
})
