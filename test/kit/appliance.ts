/** The executable as its owner has it: a configuration file, a data directory, and nothing of this machine around it. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { awaited } from './awaited.ts'
import { type Settings, toToml } from './landline-toml.ts'
import { freePort, scratchDirectory } from './peers.ts'

/** What `bun run build` makes, or LANDLINE_BINARY. */
export const BINARY =
  process.env.LANDLINE_BINARY ?? join(import.meta.dirname, '../../dist/landline')
export const CALLEE = '+15551234567'

export interface ApplianceOptions extends Settings {
  /** What the scripted model says. */
  dialogue?: string
}

export interface Answer {
  status: number
  /** What the API answered, taken for an object. */
  body: Record<string, unknown>
}

export interface CallRow extends Record<string, unknown> {
  id: string
  status: string
  endReason: string | null
  toNumber: string
  cost: number
  duration: number
  transcript: { role: 'agent' | 'human'; text: string }[]
  events: ({ type: string; at: string } & Record<string, unknown>)[]
}

export interface CommandResult {
  code: number
  out: string
  err: string
}

/** Speaks first and is patient; hangs up when it is asked to. */
export const DIALOGUE = `opening
  say Hello, this is the appliance.
when goodbye | nice day
  say Thank you, goodbye.
  hang up
default
  say Okay.
silence
  say Are you there?
summary
  say The call was made.
`

const FINAL = ['completed', 'busy', 'no_answer', 'failed', 'canceled']

export class Appliance {
  readonly dataDir: string
  readonly configFile: string
  readonly key: string
  readonly sipPort: number
  /** Everything that the servers wrote so far, those that were killed included. */
  log = ''
  private readonly root: string
  private readonly removeRoot: () => void
  private server: Bun.Subprocess<'ignore', 'pipe', 'pipe'> | null = null
  private base = ''

  private constructor(o: { root: string; remove: () => void; key: string; sipPort: number }) {
    this.root = o.root
    this.removeRoot = o.remove
    this.dataDir = join(o.root, 'data')
    this.configFile = join(o.root, 'etc/landline.toml')
    this.key = o.key
    this.sipPort = o.sipPort
  }

  /** Writes the configuration and makes a key; serves nothing yet. */
  static async create(o: ApplianceOptions = {}): Promise<Appliance> {
    const scratch = scratchDirectory()
    const root = scratch.path
    for (const folder of ['etc', 'home', 'tmp', 'work']) mkdirSync(join(root, folder))
    const sipPort = await freePort()
    writeFileSync(join(root, 'etc/agent.dialogue'), o.dialogue ?? DIALOGUE)
    if (o.ca !== undefined) writeFileSync(join(root, 'etc/ca.pem'), o.ca)
    writeFileSync(join(root, 'etc/landline.toml'), toToml(o, { sipPort, rtp: await freePort() }))
    const bare = new Appliance({ root, remove: scratch.remove, key: '', sipPort })
    const made = await bare.command(['keys', 'create', '--name', 'test', '--json'])
    if (made.code !== 0) throw new Error(`keys create: exit ${made.code}: ${made.err}`)
    const { key } = JSON.parse(made.out) as { key: string }
    return new Appliance({ root, remove: scratch.remove, key, sipPort })
  }

  get url(): string {
    return this.base
  }

  /** Of the server that runs. */
  get pid(): number {
    if (!this.server) throw new Error('the appliance is not running')
    return this.server.pid
  }

  get running(): boolean {
    return this.server !== null && this.server.exitCode === null && this.server.signalCode === null
  }

  /** Runs one command to its end, in the bare environment and an empty working directory. */
  async command(args: readonly string[], o: { env?: Record<string, string> } = {}) {
    return runBinary([...args, '--config', this.configFile], {
      cwd: join(this.root, 'work'),
      env: { ...this.bareEnvironment(), ...o.env },
    })
  }

  /** Starts `serve`, with an empty home unless `env` says otherwise; resolves once it says that it answers. */
  async start(env = this.bareEnvironment()): Promise<void> {
    const from = this.log.length
    const server = Bun.spawn([BINARY, 'serve', '--config', this.configFile], {
      cwd: join(this.root, 'work'),
      env,
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'pipe',
    })
    this.server = server
    for (const stream of [server.stdout, server.stderr])
      void collect(stream, (text) => {
        this.log += text
      })
    const saysUrl = /"url":"(https?:[^"]+)"/
    await awaited('the server to answer', 15_000, () => {
      if (server.exitCode !== null)
        throw new Error(`serve: exit ${server.exitCode}: ${this.log.slice(from).slice(-2_000)}`)
      return saysUrl.test(this.log.slice(from))
    })
    this.base = saysUrl.exec(this.log.slice(from))?.[1] ?? ''
  }

  /** As a power cut would: no handler runs. */
  async kill(): Promise<void> {
    this.server?.kill('SIGKILL')
    await this.server?.exited
    this.server = null
  }

  /** Sends SIGTERM; resolves with the exit code and how long that took. */
  async terminate(withinMs = 20_000): Promise<{ code: number; ms: number }> {
    const { server } = this
    if (!server) throw new Error('the appliance is not running')
    const from = performance.now()
    server.kill('SIGTERM')
    const code = await Promise.race([server.exited, Bun.sleep(withinMs).then(() => null)])
    if (code === null) throw new Error(`SIGTERM: still running after ${withinMs} ms`)
    this.server = null
    return { code, ms: performance.now() - from }
  }

  /** Kills the server and removes every file. */
  async remove(): Promise<void> {
    await this.kill()
    this.removeRoot()
  }

  async request(method: string, path: string, body?: unknown): Promise<Answer> {
    const response = await fetch(`${this.base}${path}`, {
      method,
      headers: { 'X-API-Key': this.key, 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(10_000),
    })
    const text = await response.text()
    return { status: response.status, body: text === '' ? {} : JSON.parse(text) }
  }

  /** The Prometheus text. */
  async metrics(): Promise<string> {
    return (await fetch(`${this.base}/metrics`)).text()
  }

  /** Posts a call, which must be accepted; returns its id. */
  async call(o: Record<string, unknown> = {}): Promise<string> {
    const body = { phoneNumber: CALLEE, instructions: 'Say hello.', firstMessage: 'Hello.', ...o }
    const answer = await this.request('POST', '/api/v1/calls', body)
    if (answer.status !== 201) throw new Error(`POST /calls: ${JSON.stringify(answer)}`)
    return String(answer.body.id)
  }

  async row(id: string): Promise<CallRow> {
    const { status, body } = await this.request('GET', `/api/v1/calls/${id}`)
    if (status !== 200) throw new Error(`GET /calls/${id}: ${status} ${JSON.stringify(body)}`)
    return body as CallRow
  }

  /** The call once `holds` says so. */
  async until(id: string, holds: (call: CallRow) => boolean, withinMs = 10_000): Promise<CallRow> {
    let last: CallRow | undefined
    await awaited(
      () => `a state of the call; it is ${JSON.stringify(last)}; log: ${this.log.slice(-1_500)}`,
      withinMs,
      async () => {
        last = await this.row(id)
        return holds(last)
      },
    )
    return last as CallRow
  }

  /** The call once it has ended. */
  ended(id: string, withinMs = 15_000): Promise<CallRow> {
    return this.until(id, ({ status }) => FINAL.includes(status), withinMs)
  }

  answered(id: string): Promise<CallRow> {
    return this.until(id, ({ status }) => status === 'in_progress')
  }

  /** Every file outside the data directory: its home, its place for temporary files, where it runs, its configuration. */
  filesOutside(): string[] {
    return readdirSync(this.root, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.split('/')[0] !== 'data')
      .sort()
  }

  private bareEnvironment(): Record<string, string> {
    return { HOME: join(this.root, 'home'), TMPDIR: join(this.root, 'tmp') }
  }
}

/** How many of a call's events say that it ended. */
export function countEnds({ events }: CallRow): number {
  return events.filter((event) => event.type === 'status' && FINAL.includes(String(event.status)))
    .length
}

/** Runs the executable with exactly this environment; killed after half a minute. */
export async function runBinary(
  args: readonly string[],
  o: { cwd: string; env: Record<string, string> },
): Promise<CommandResult> {
  const child = Bun.spawn([BINARY, ...args], {
    cwd: o.cwd,
    env: o.env,
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
    timeout: 30_000,
    killSignal: 'SIGKILL',
  })
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  return { code, out, err }
}

async function collect(
  stream: ReadableStream<Uint8Array>,
  onText: (text: string) => void,
): Promise<void> {
  const decoder = new TextDecoder()
  for await (const chunk of stream) onText(decoder.decode(chunk, { stream: true }))
}
