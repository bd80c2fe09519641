/** Compiled programs as the benches run them: in an empty directory, with a bare environment. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
export const LANDLINE = join(root, 'dist/bench/landline')
const HELLO = join(root, 'dist/bench/hello')
/** Below the ports that outgoing connections take: a connection to a port that is still closed could meet itself. */
const FIRST_PORT = 21_000
const PORTS = 4_000
const GIVE_UP_MS = 15_000

let ports = Math.floor(Math.random() * PORTS)

/** A port that this run has not used yet. */
export function nextPort(): number {
  ports = (ports + 1) % PORTS
  return FIRST_PORT + ports
}

export interface Program {
  /** From the spawn to the last byte of the first answer with status 200, ms. */
  firstAnswerMs: number
  /** CPU that all its threads had used by then, ms. */
  cpuMs: number
  /** Resident memory now, MB. */
  rssMb(): number
  stop(): Promise<void>
}

/** Starts a program that listens on `port` and asks it for /healthz until it answers. */
export async function startProgram(
  argv: readonly string[],
  o: { port: number; directory: string; env?: Record<string, string> },
): Promise<Program> {
  const startedAt = performance.now()
  const child = Bun.spawn([...argv], {
    cwd: o.directory,
    env: { HOME: o.directory, ...o.env },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const stop = async (): Promise<void> => {
    child.kill()
    await child.exited
  }
  while (!(await asksOnce(o.port))) {
    if (child.exitCode !== null)
      throw new Error(`${argv[0]} ended: ${await new Response(child.stderr).text()}`)
    if (performance.now() - startedAt > GIVE_UP_MS) {
      await stop()
      throw new Error(`${argv[0]} does not answer on port ${o.port}`)
    }
    // Asked without a pause we would take from it a core of the machine.
    await Bun.sleep(1)
  }
  const firstAnswerMs = performance.now() - startedAt
  return { firstAnswerMs, cpuMs: cpuMsOf(child.pid), rssMb: () => rssMbOf(child.pid), stop }
}

/** One connection, one request; true on a 200. */
function asksOnce(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('connect', () => {
      socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
    })
    socket.on('data', (bytes) => {
      done(bytes.toString('latin1').startsWith('HTTP/1.1 200'))
      socket.destroy()
    })
    socket.on('error', () => done(false))
    socket.on('close', () => done(false))
  })
}

function cpuMsOf(pid: number): number {
  const tasks = `/proc/${pid}/task`
  const nanoseconds = readdirSync(tasks).map((task) =>
    Number(readFileSync(join(tasks, task, 'schedstat'), 'utf8').split(' ')[0]),
  )
  return nanoseconds.reduce((sum, each) => sum + each, 0) / 1e6
}

function rssMbOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024
}

/** Builds the control with the flags of `scripts/build.ts`; returns its path. */
export async function buildHello(): Promise<string> {
  const flags = '--compile --minify --bytecode --format=esm --sourcemap'
  const closed = '--no-compile-autoload-dotenv --no-compile-autoload-bunfig'
  const source = join(import.meta.dirname, 'hello-server.ts')
  const argv = ['build', ...`${flags} ${closed}`.split(' '), `--outfile=${HELLO}`, source]
  const child = Bun.spawn([process.execPath, ...argv], { stdio: ['ignore', 'ignore', 'inherit'] })
  if ((await child.exited) !== 0) throw new Error('building the control: failed')
  rmSync(`${HELLO}.map`, { force: true })
  return HELLO
}

/** A directory that is gone after `work`. */
export async function inDirectory<T>(work: (directory: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'landline-bench-'))
  mkdirSync(directory, { recursive: true })
  try {
    return await work(directory)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
