/**
 * What every script does first. Imports `node:` and `bun:` modules only, so that it runs before anything is installed.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export const root = join(import.meta.dirname, '..')

/** Runs a program in the project's root with this Bun; ends the process with its exit code when it fails. */
export function run(
  what: string,
  command: readonly string[],
  env: Record<string, string> = {},
): void {
  const code = attempt(command, env)
  if (code === 0) return
  console.error(`${what}: failed (exit ${code})`)
  process.exit(code)
}

/** Runs a program in the project's root; returns its exit code. JavaScript programs run under this Bun. */
export function attempt(command: readonly string[], env: Record<string, string> = {}): number {
  const [program, ...rest] = command as [string, ...string[]]
  const isScript = /^(node_modules\/\.bin\/(vitest|tsc|drizzle-kit)$)/.test(program)
  const argv = isScript ? [process.execPath, '--bun', program, ...rest] : [program, ...rest]
  const result = Bun.spawnSync(argv, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['inherit', 'inherit', 'inherit'],
  })
  return result.exitCode ?? 1
}

/** Installs exactly what `bun.lock` says, unless that was done already. `production` leaves out the tools of the tests. */
export function installDependencies(which: 'production' | 'all'): void {
  const stamp = join(root, 'node_modules/.landline-installed')
  const lock = String(Bun.hash(readFileSync(join(root, 'bun.lock'))))
  const done = existsSync(stamp) ? readFileSync(stamp, 'utf8') : ''
  if (done === `all ${lock}` || done === `${which} ${lock}`) return
  console.log('Installing dependencies …')
  const flags = which === 'production' ? ['--production'] : []
  run('bun install', [process.execPath, 'install', '--frozen-lockfile', ...flags])
  writeFileSync(stamp, `${which} ${lock}`)
}
