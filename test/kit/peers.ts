/** Programs that tests talk to: found on PATH, started for one test, stopped with it. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'vitest'

/** Where the program is, or null. Daemons live in sbin, which is not on everybody's PATH. */
export function findProgram(name: string): string | null {
  return Bun.which(name, { PATH: `${process.env.PATH ?? ''}:/usr/local/sbin:/usr/sbin:/sbin` })
}

/**
 * A group of tests that need programs. When one is absent they are skipped with its name in the title, or, with
 * REQUIRE_PEERS=1, fail.
 */
export function describeWithPeers(
  title: string,
  programs: readonly string[],
  tests: () => void,
): void {
  const missing = programs.filter((name) => findProgram(name) === null)
  if (missing.length === 0) describe(title, tests)
  else if (process.env.REQUIRE_PEERS === '1')
    it(`${title} (needs ${missing.join(', ')})`, () => {
      throw new Error(`REQUIRE_PEERS=1, but not installed: ${missing.join(', ')}`)
    })
  else describe.skip(`${title} (${missing.join(', ')} not installed)`, tests)
}

export interface Peer {
  /** The exit code, once it exited by itself; rejects when that takes too long, with what it wrote. */
  exit(withinMs?: number): Promise<number>
  /** What it wrote so far, stdout and stderr. */
  output(): string
  /** Kills it and what it started; waits until it is gone. */
  stop(): Promise<void>
}

/** Starts a program in a process group of its own. Throws when it is not installed. */
export function startPeer(name: string, args: readonly string[], cwd?: string): Peer {
  const path = findProgram(name)
  if (!path) throw new Error(`${name} is not installed`)
  const child = Bun.spawn([path, ...args], {
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
    detached: true,
    env: { ...process.env, TERM: 'xterm' },
    ...(cwd ? { cwd } : {}),
  })
  let written = ''
  for (const stream of [child.stdout, child.stderr])
    void collect(stream, (text) => (written += text))
  return {
    output: () => written,
    async exit(withinMs = 10_000) {
      const code = await Promise.race([child.exited, Bun.sleep(withinMs).then(() => null)])
      if (code === null)
        throw new Error(`${name} still runs after ${withinMs} ms:\n${written.slice(-3_000)}`)
      return code
    },
    async stop() {
      // Asked first, so that a daemon collects its own children; the rest of the group is killed.
      signalGroup(child.pid, 'SIGTERM')
      await Promise.race([child.exited, Bun.sleep(2_000)])
      signalGroup(child.pid, 'SIGKILL')
      await child.exited
    },
  }
}

function signalGroup(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(-pid, signal)
  } catch {
    // It is gone already.
  }
}

async function collect(
  stream: ReadableStream<Uint8Array>,
  onText: (text: string) => void,
): Promise<void> {
  for await (const chunk of stream) onText(Buffer.from(chunk).toString('latin1'))
}

/** A UDP port of loopback that was free a moment ago. */
export async function freePort(): Promise<number> {
  const socket = await Bun.udpSocket({ hostname: '127.0.0.1', port: 0 })
  const { port } = socket
  socket.close()
  return port
}

/** A directory that is removed with `remove`. */
export function scratchDirectory(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'landline-test-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

/** Waits until something is bound to a UDP port, or listens on a TCP port, without touching it. */
export async function untilBound(
  port: number,
  withinMs = 5_000,
  kind: 'udp' | 'tcp' = 'udp',
): Promise<void> {
  const number = port.toString(16).toUpperCase().padStart(4, '0')
  // For TCP the state has to be LISTEN, 0A.
  const state = kind === 'tcp' ? '[0-9A-F]+:[0-9A-F]+ 0A ' : ''
  const entry = new RegExp(`^ *\\d+: [0-9A-F]+:${number} ${state}`, 'm')
  const deadline = performance.now() + withinMs
  while (performance.now() < deadline) {
    if (entry.test(readFileSync(`/proc/net/${kind}`, 'utf8'))) return
    await Bun.sleep(20)
  }
  throw new Error(`nothing listens on ${kind.toUpperCase()} port ${port}`)
}
