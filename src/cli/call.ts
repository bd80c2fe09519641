import type { Command } from 'commander'
import type { Config } from '../config/config.ts'
import { parseDuration } from '../config/duration.ts'
import { type ApiClient, answerOf, createApiClient, isLoopback, localUrl } from './api-client.ts'
import { type CommandContext, type ExitCode, printJson, UsageError } from './command.ts'
import { interruptible } from './interrupt.ts'
import { createKey, TEMPORARY_KEY_NAME } from './keys.ts'
import { traceLines } from './trace-report.ts'
import { watchCall } from './watch-call.ts'

interface CallOptions {
  name?: string
  firstMessage?: string
  from?: string
  maxDuration?: string
  transferTo?: string
  voicemail?: string
  retry?: string
  retryDelay?: string
  watch?: boolean
  trace?: boolean
  url?: string
  key?: string
  json?: boolean
}

const HELP = `
Examples:
  landline call --watch +15551234567 'Order a large pepperoni.'
  landline call --trace +15551234567 'Order a large pepperoni.'   the call, then its SIP ladder
  landline call --trace 0195b3a0-5c00-7000-8000-000000000001      the ladder of an earlier call`

export function addCall(program: Command, context: CommandContext): void {
  program
    .command('call')
    .description('have the running server make a call')
    .argument(
      '<number>',
      'who is called: +15551234567; with --trace alone, the id of an earlier call',
    )
    .argument('[instructions]', 'what the call should achieve')
    .option('--watch', 'follow the call: every turn as it is spoken, then summary and cost')
    .option(
      '--trace',
      'print the SIP ladder: as --watch does, after the call; or of an earlier one',
    )
    .option('--name <name>', 'name of the person or business called')
    .option('--first-message <text>', 'what the agent says when the call is answered')
    .option('--from <number>', "caller number: one of the trunks'")
    .option('--max-duration <seconds>', 'end the call after this long')
    .option('--transfer-to <number>', 'whom the agent may put the person through to')
    .option(
      '--voicemail <what>',
      'when a voicemail answers: hangup (the default), continue, or the message to leave',
    )
    .option('--retry <attempts>', 'call up to this often in all (1 to 5) when nobody answers')
    .option(
      '--retry-delay <duration>',
      'how long after one attempt the next follows: 60s to 24h (5m)',
    )
    .option('--url <url>', 'where the server answers (else from the configuration)')
    .option('--key <key>', 'API key (else LANDLINE_API_KEY, else a temporary one is made)')
    .option('--json', 'print the call, each event of --watch and the trace as JSON lines')
    .addHelpText('after', HELP)
    .action(
      context.run((command, number = '', instructions) =>
        instructions === undefined
          ? traceOf(context, command, number)
          : call(context, command, { number, instructions }),
      ),
    )
}

async function call(
  context: CommandContext,
  command: Command,
  wish: { number: string; instructions: string },
): Promise<ExitCode> {
  const options = command.opts<CallOptions>()
  const body = {
    phoneNumber: wish.number,
    instructions: wish.instructions,
    ...(options.name === undefined ? {} : { name: options.name }),
    ...(options.firstMessage === undefined ? {} : { firstMessage: options.firstMessage }),
    ...(options.from === undefined ? {} : { fromNumber: options.from }),
    ...(options.maxDuration === undefined ? {} : { maxDuration: toSeconds(options.maxDuration) }),
    ...(options.transferTo === undefined ? {} : { transferTo: options.transferTo }),
    ...(options.voicemail === undefined ? {} : { voicemail: toVoicemail(options.voicemail) }),
    ...toRetry(options),
  }
  const { config } = context.config(command)
  return withClient(context, config, options, async (client) => {
    const made = await answerOf(await client.request('/api/v1/calls', { method: 'POST', body }))
    const id = String(made.id)
    if (options.json) printJson(context.terminal, made)
    else context.terminal.out(`call ${id}: ${String(made.status)}`)
    if (!options.watch && !options.trace) return 0
    const code = await follow(context, client, id, options.json === true)
    if (options.trace) await printTrace(context, client, { id, json: options.json === true })
    return code
  })
}

/** One of the two words, else the message. */
function toVoicemail(given: string): string | { leaveMessage: string } {
  return given === 'hangup' || given === 'continue' ? given : { leaveMessage: given }
}

function toRetry({ retry, retryDelay }: CallOptions): { retry?: Record<string, number> } {
  if (retry === undefined) {
    if (retryDelay === undefined) return {}
    throw new UsageError('call: --retry-delay needs --retry: how often is it to be called in all?')
  }
  if (!/^[1-5]$/.test(retry))
    throw new UsageError(`call: --retry must be 1 to 5 attempts in all, not "${retry}"`)
  const maxAttempts = Number(retry)
  if (retryDelay === undefined) return { retry: { maxAttempts } }
  return { retry: { maxAttempts, delaySeconds: toDelaySeconds(retryDelay) } }
}

function toDelaySeconds(text: string): number {
  const seconds = (parseDuration(text) ?? Number.NaN) / 1000
  if (Number.isInteger(seconds) && seconds >= 60 && seconds <= 86_400) return seconds
  throw new UsageError(
    `call: --retry-delay must be whole seconds from "60s" to "24h", such as "5m", not "${text}"`,
  )
}

/** `call --trace ID`: the ladder of a call that is over, or as far as it is. */
async function traceOf(context: CommandContext, command: Command, id: string): Promise<ExitCode> {
  const options = command.opts<CallOptions>()
  if (!options.trace) throw new UsageError("call: missing required argument 'instructions'")
  if (!/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(id))
    throw new UsageError(
      `call: --trace needs the id of a call, or a number and instructions, not "${id}"`,
    )
  const { config } = context.config(command)
  return withClient(context, config, options, async (client) => {
    await printTrace(context, client, { id, json: options.json === true })
    return 0
  })
}

async function printTrace(
  { terminal }: CommandContext,
  client: ApiClient,
  o: { id: string; json: boolean },
): Promise<void> {
  const answer = await answerOf(await client.request(`/api/v1/calls/${o.id}/trace`))
  if (o.json) printJson(terminal, answer)
  else for (const line of traceLines(answer)) terminal.out(line)
}

function toSeconds(given: string): number {
  if (!/^\d{1,6}$/.test(given))
    throw new UsageError(`call: --max-duration must be whole seconds, not "${given}"`)
  return Number(given)
}

/** Watches until the call ends (0 when it was answered) or Ctrl-C, which leaves the call running. */
async function follow(
  context: CommandContext,
  client: ApiClient,
  callId: string,
  json: boolean,
): Promise<ExitCode> {
  const { terminal } = context
  const status = await interruptible(terminal, (signal) =>
    watchCall({ client, terminal, callId, json, signal }),
  )
  if (status === null) {
    const path = `${client.url}/api/v1/calls/${callId}`
    terminal.err(`The call goes on. Its state: GET ${path}; to end it: POST ${path}/cancel`)
    return 0
  }
  return status === 'completed' ? 0 : 1
}

/** With the key that was given, else with one that is made in the data directory and revoked afterwards. */
async function withClient(
  context: CommandContext,
  config: Config,
  options: CallOptions,
  body: (client: ApiClient) => Promise<ExitCode>,
): Promise<ExitCode> {
  const { terminal } = context
  const url = toUrl(config, options)
  const certFile = config.http.tlsCertFile
  const key = options.key ?? (terminal.env.LANDLINE_API_KEY?.trim() || null)
  if (key) return body(createApiClient({ terminal, url, key, certFile }))
  if (options.url && !isLoopback(url))
    throw new UsageError('call: --url names another machine: give its key with --key')
  // Before a key is made: is there anybody to show it to?
  await createApiClient({ terminal, url, key: null, certFile }).request('/healthz')
  const data = await (await context.appliance()).openData(config)
  try {
    const made = await createKey(data, TEMPORARY_KEY_NAME)
    try {
      return await body(createApiClient({ terminal, url, key: made.key, certFile }))
    } finally {
      await data.keys.revoke(made.id, data.clock.now())
    }
  } finally {
    await data.close()
  }
}

function toUrl(config: Config, options: CallOptions): string {
  if (options.url === undefined) {
    const url = localUrl(config)
    if (url === null)
      throw new UsageError(
        'call: http.port is 0, so only the server knows its port: give --url as it logged it',
      )
    return url
  }
  if (!URL.canParse(options.url) || !/^https?:/.test(options.url))
    throw new UsageError(`call: --url must begin with http:// or https://, not "${options.url}"`)
  return options.url.replace(/\/+$/, '')
}
