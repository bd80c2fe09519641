/** The compiled server over HTTP: calls accepted durably, and the cheapest authenticated read. */
import { closeSync, fsyncSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Load, LoadResult } from './load-worker.ts'
import { buildHello, inDirectory, LANDLINE, nextPort, startProgram } from './program.ts'
import { type Figure, figure } from './report.ts'
import { type Rounds, runRounds } from './rounds.ts'

const ROUNDS = 8
const DURATION_MS = 1_500
const CONNECTIONS = 64
/** What one accepted call adds to the database's log is of this order. */
const WRITE_BYTES = 4096

export async function benchApi(): Promise<Figure[]> {
  const hello = await buildHello()
  return inDirectory((directory) => measure(hello, directory))
}

async function measure(hello: string, directory: string): Promise<Figure[]> {
  writeFileSync(join(directory, 'landline.toml'), CONFIG)
  writeFileSync(join(directory, 'agent.dialogue'), DIALOGUE)
  const key = await createKey(directory)
  const port = nextPort()
  const server = await startProgram([LANDLINE, 'serve', '--port', String(port)], {
    port,
    directory,
  })
  const helloPort = nextPort()
  const control = await startProgram([hello, String(helloPort)], { port: helloPort, directory })
  const loader = new Worker(new URL('./load-worker.ts', import.meta.url).href)
  const api = `http://127.0.0.1:${port}/api/v1`
  const calls = { url: `${api}/calls`, key, post: true }
  const me = { url: `${api}/me`, key, post: false }
  const plain = { url: `http://127.0.0.1:${helloPort}/`, key, post: false }
  try {
    // Code that runs often is compiled by then.
    for (const each of [calls, me, plain])
      await load(loader, { ...each, connections: CONNECTIONS, durationMs: DURATION_MS })
    return await rounds(directory, { loader, calls, me, plain })
  } finally {
    loader.terminate()
    await server.stop()
    await control.stop()
  }
}

type Target = Pick<Load, 'url' | 'key' | 'post'>

async function rounds(
  directory: string,
  o: { loader: Worker; calls: Target; me: Target; plain: Target },
): Promise<Figure[]> {
  const at = async (target: Target, connections: number) =>
    load(o.loader, { ...target, connections, durationMs: DURATION_MS })
  return figures(
    await runRounds({
      count: ROUNDS,
      control: 'fsync',
      parts: [
        async () => {
          const { perSecond, times } = writeAndSync(directory)
          return { fsync: times, fsyncRate: [perSecond] }
        },
        async () => {
          const { perSecond, times } = await at(o.calls, CONNECTIONS)
          return { calls: times, callsRate: [perSecond] }
        },
        async () => ({ single: (await at(o.calls, 1)).times }),
        async () => {
          const { perSecond, times } = await at(o.me, CONNECTIONS)
          return { me: times, meRate: [perSecond] }
        },
        async () => {
          const { perSecond, times } = await at(o.plain, CONNECTIONS)
          return { plain: times, plainRate: [perSecond] }
        },
      ],
    }),
  )
}

type Measured = 'fsync' | 'calls' | 'single' | 'me' | 'plain'

function figures(o: Rounds<Measured | `${Exclude<Measured, 'single'>}Rate`>): Figure[] {
  const { samples, discarded } = o
  const at = `${CONNECTIONS} connections`
  const fsync = 'write + fsync, one after the other'
  const hello = `compiled Bun.serve, ${at}`
  const one = (metric: string, ours: number[], what: string, control: number[]) => ({
    metric,
    ours,
    control: { what, samples: control },
    discarded,
  })
  return [
    figure({
      unit: 'a second',
      ...one(`POST /calls, durable, ${at}`, samples.callsRate, fsync, samples.fsyncRate),
    }),
    figure({
      unit: 'ms',
      ...one(`POST /calls, time of one, ${at}`, samples.calls, fsync, samples.fsync),
    }),
    figure({
      unit: 'ms',
      ...one('POST /calls, time of one, 1 connection', samples.single, fsync, samples.fsync),
    }),
    figure({
      unit: 'a second',
      ...one(`GET /me, ${at}`, samples.meRate, hello, samples.plainRate),
    }),
    figure({
      unit: 'ms',
      ...one(`GET /me, time of one, ${at}`, samples.me, hello, samples.plain),
    }),
  ]
}

async function load(loader: Worker, what: Load): Promise<Exclude<LoadResult, { failed: string }>> {
  const result = await new Promise<LoadResult>((done) => {
    loader.onmessage = ({ data }: MessageEvent<LoadResult>) => done(data)
    loader.postMessage(what)
  })
  if ('failed' in result) throw new Error(`${what.url}: ${result.failed}`)
  return result
}

/** What the disk gives to a program that syncs each request by itself. */
function writeAndSync(directory: string): { perSecond: number; times: number[] } {
  const file = openSync(join(directory, 'control'), 'a')
  const bytes = new Uint8Array(WRITE_BYTES)
  const times: number[] = []
  const begun = performance.now()
  while (performance.now() - begun < DURATION_MS) {
    const at = performance.now()
    writeSync(file, bytes)
    fsyncSync(file)
    times.push(performance.now() - at)
  }
  closeSync(file)
  return { perSecond: (times.length * 1000) / (performance.now() - begun), times }
}

async function createKey(directory: string): Promise<string> {
  const child = Bun.spawn([LANDLINE, 'keys', 'create', '--name', 'bench', '--json'], {
    cwd: directory,
    env: { HOME: directory },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  return (JSON.parse(await new Response(child.stdout).text()) as { key: string }).key
}

/** A trunk that is never called, engines that are in the executable, no limit in the way. */
const CONFIG = `[http]
rate_limit = 1000000

[billing]
enabled = false

[sip]
host = "127.0.0.1"
port = 0

[[sip.trunks]]
name = "nobody"
host = "127.0.0.1"
port = 9
numbers = ["+15550001111"]

[speech.stt]
model = "demo"

[llm]
engine = "scripted"
script = "agent.dialogue"

[log]
level = "warn"
`

const DIALOGUE = `opening
  say Hello.
`
