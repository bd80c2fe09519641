import { join } from 'node:path'
import { expect, it } from 'vitest'

const terminal = join(import.meta.dirname, '../../src/cli/terminal.ts')

/** Runs a program that gets a terminal as `t`; returns its exit code and the length of what a slow reader got. */
async function run(program: string): Promise<[code: number, read: number]> {
  const text = `import { systemTerminal } from ${JSON.stringify(terminal)}; const t = systemTerminal(); ${program}`
  const child = Bun.spawn([process.execPath, '-e', text], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: {},
  })
  await Bun.sleep(200)
  const read = (await new Response(child.stdout).text()).length
  return [await child.exited, read]
}

it('a command that prints much and ends is read to the last byte', async () => {
  expect(await run("t.out('x'.repeat(499_999)); t.out('end'); t.exit(3)")).toEqual([3, 500_004])
})

it('a command that prints nothing ends too', async () => {
  expect(await run('t.exit(1)')).toEqual([1, 0])
})
