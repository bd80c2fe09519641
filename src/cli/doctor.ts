import { resolve } from 'node:path'
import type { Command } from 'commander'
import type { Config } from '../config/config.ts'
import type { Probe } from '../core/probe.ts'
import { type ApiClient, createApiClient, isObject, localUrl } from './api-client.ts'
import { type CommandContext, type ExitCode, printJson, wantsJson } from './command.ts'
import { toPlainLine } from './plain-text.ts'
import { notesOf } from './running-server.ts'

/** What the running server says of itself is listed under this. */
const OF_SERVER = 'server: '
/** A server that runs answers at once; one that hangs is told as away. */
const LONGEST_ANSWER_MS = 3000

export function addDoctor(program: Command, context: CommandContext): void {
  program
    .command('doctor')
    .description('say what is configured, reachable and missing, and what mends it')
    .option('--json', 'print { ok, server, notes, checks }')
    .option('--live', 'only ask whether the server answers: for health checks')
    .action(context.run((command) => doctor(context, command)))
}

async function doctor(context: CommandContext, command: Command): Promise<ExitCode> {
  const { terminal } = context
  const { config, file } = context.config(command)
  if (command.opts<{ live?: boolean }>().live === true) return live(context, config)
  const appliance = await context.appliance()
  const running = await appliance.running(config)
  const notes = notesOf(running, {
    config,
    file: file === null ? null : resolve(terminal.directory, file),
  })
  const itsUrl = running === null || running === 'unknown' ? null : running.url
  const server = await askServer(context, config, itsUrl ?? localUrl(config))
  const reported = new Set((server.probes ?? []).map(({ name }) => name))
  const local = await appliance.probes(config)
  const checks = local.filter(({ name }) => !reported.has(`${OF_SERVER}${name}`))
  const all = [...checks, ...(server.probes ?? [])]
  const ok = all.every((probe) => probe.state === 'ready')
  if (wantsJson(command)) printJson(terminal, { ok, server: server.state, notes, checks: all })
  else {
    for (const line of checks.flatMap(toLines)) terminal.out(line)
    terminal.out(`server: ${server.state}`)
    for (const note of notes) terminal.out(`note: ${toPlainLine(note)}`)
    for (const line of (server.probes ?? []).flatMap(toLines)) terminal.out(line)
    terminal.out(ok ? 'All is ready.' : 'Not all is ready: see above.')
  }
  return ok ? 0 : 1
}

/** Exits with 0 when the server of this configuration answers `/healthz` in time. */
async function live(context: CommandContext, config: Config): Promise<ExitCode> {
  const url = localUrl(config)
  if (url === null) throw new Error('http.port is 0: only the server knows where it answers')
  const response = await clientOf(context, config, url).request('/healthz', {
    signal: AbortSignal.timeout(LONGEST_ANSWER_MS),
  })
  context.terminal.out(response.ok ? `alive at ${url}` : `answers ${response.status} at ${url}`)
  return response.ok ? 0 : 1
}

function clientOf({ terminal }: CommandContext, config: Config, url: string): ApiClient {
  return createApiClient({ terminal, url, key: null, certFile: config.http.tlsCertFile })
}

function toLines(probe: Probe): string[] {
  const reason = probe.reason ? `: ${toPlainLine(probe.reason)}` : ''
  const line = `${probe.state.padEnd(7)}  ${toPlainLine(probe.name)}${reason}`
  return probe.mend ? [line, `         mend: ${toPlainLine(probe.mend)}`] : [line]
}

/** What a running server says of itself; no server is no fault. */
async function askServer(
  context: CommandContext,
  config: Config,
  url: string | null,
): Promise<{ state: string; probes?: Probe[] }> {
  if (url === null) return { state: 'not asked: http.port is 0' }
  try {
    const response = await clientOf(context, config, url).request('/readyz', {
      signal: AbortSignal.timeout(LONGEST_ANSWER_MS),
    })
    const probes = probesOf(await response.json().catch(() => undefined))
    const named = probes.map((probe) => ({ ...probe, name: `${OF_SERVER}${probe.name}` }))
    if (response.ok) return { state: `ready at ${url}`, probes: named }
    const self: Probe = { name: 'server', state: 'away', reason: `not ready at ${url}` }
    return { state: `not ready at ${url}`, probes: named.length > 0 ? named : [self] }
  } catch (error) {
    if (isTimeout(error) || isTimeout((error as Error).cause)) {
      const reason = `accepts connections at ${url} but does not answer`
      return { state: reason, probes: [{ name: 'server', state: 'away', reason }] }
    }
    return { state: `none answers at ${url} (start it: landline serve)` }
  }
}

function isTimeout(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'TimeoutError'
}

/** The probes in the answer of `/readyz`: an object that holds a list of them. */
function probesOf(answer: unknown): Probe[] {
  const lists = isObject(answer) ? Object.values(answer).filter(Array.isArray) : []
  return lists.flat().filter(isProbe)
}

function isProbe(value: unknown): value is Probe {
  return (
    isObject(value) &&
    typeof value.name === 'string' &&
    (value.state === 'ready' || value.state === 'away' || value.state === 'missing')
  )
}
