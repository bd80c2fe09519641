/** A bench that needs a process of its own, because the CPU that it measures is the whole process's. */
import { join } from 'node:path'

const scripts = join(import.meta.dirname, '../scripts/bench')

/** Runs a script of `scripts/bench`, which tells what it found as JSON when BENCH_JSON is set. Throws when it fails. */
export async function runScript<T>(name: string, env: Record<string, string> = {}): Promise<T> {
  const child = Bun.spawn([process.execPath, join(scripts, name)], {
    env: { ...process.env, ...env, BENCH_JSON: '1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const text = await new Response(child.stdout).text()
  if ((await child.exited) !== 0) throw new Error(`scripts/bench/${name} failed`)
  return JSON.parse(text) as T
}
