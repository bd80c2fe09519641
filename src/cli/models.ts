import { resolve } from 'node:path'
import type { Command } from 'commander'
import type { PulledModel, PullRequest } from './appliance.ts'
import { type CommandContext, type ExitCode, printJson, UsageError, wantsJson } from './command.ts'
import { interruptible } from './interrupt.ts'
import { toColumns } from './plain-text.ts'
import { createProgressLine, megabytes } from './progress-line.ts'
import type { Terminal } from './terminal.ts'

const HUB = 'https://huggingface.co'

export function addModels(program: Command, context: CommandContext): void {
  const models = program.command('models').description('the models of the engines inside')
  models
    .command('list')
    .description('list the known models and which are installed')
    .option('--json', 'print [{ id, engine, installed, sizeBytes }]')
    .action(context.run((command) => list(context, command)))
  models
    .command('verify')
    .description('read every installed model from end to end')
    .option('--json', 'print [{ id, ok, problem }]')
    .action(context.run((command) => verify(context, command)))
  models
    .command('pull')
    .description('fetch known models; goes on where an earlier pull was stopped')
    .argument('<id...>', 'as `models list` shows them')
    .option('--variant <form>', 'form of the weights: fp32, fp16, int8')
    .option('--update', 'take what the hub has now, though another version was pinned')
    .option('--hub <url>', `where from (else HF_ENDPOINT, else ${HUB})`)
    .option('--json', 'print [{ id, revision, bytes, unchanged }]')
    .action(context.run((command) => pull(context, command)))
  models
    .command('import')
    .description('copy models from a directory or a tar archive, without any network')
    .argument('<path>', "a model's directory, a directory of such, or .tar, .tar.gz")
    .option('--as <id>', "name of the model (else its directory's)")
    .option('--json', 'print [{ id, files, bytes }]')
    .action(context.run((command, path = '') => importFrom(context, command, path)))
}

async function list(context: CommandContext, command: Command): Promise<ExitCode> {
  const { config } = context.config(command)
  const models = await (await context.appliance()).models(config)
  if (wantsJson(command)) printJson(context.terminal, models)
  else
    for (const line of toColumns([
      ['ID', 'ENGINE', 'INSTALLED', 'MB'],
      ...models.map((model) => [
        model.id,
        model.engine,
        model.installed ? 'yes' : 'no',
        (model.sizeBytes / 1_000_000).toFixed(1),
      ]),
    ]))
      context.terminal.out(line)
  return 0
}

async function verify(context: CommandContext, command: Command): Promise<ExitCode> {
  const { config } = context.config(command)
  const checks = await (await context.appliance()).verifyModels(config)
  if (wantsJson(command)) printJson(context.terminal, checks)
  else if (checks.length === 0) context.terminal.out('No model is installed.')
  else
    for (const line of toColumns(checks.map((check) => [check.id, check.problem ?? 'ok'])))
      context.terminal.out(line)
  return checks.every((check) => check.ok) ? 0 : 1
}

async function pull(context: CommandContext, command: Command): Promise<ExitCode> {
  const { terminal } = context
  const { config } = context.config(command)
  const options = command.opts<{ variant?: string; update?: boolean; hub?: string }>()
  const common = {
    hub: toHub(options.hub ?? (terminal.env.HF_ENDPOINT?.trim() || HUB)),
    fetch: terminal.fetch,
    variant: options.variant ?? null,
    update: options.update === true,
  }
  const appliance = await context.appliance()
  const pulled = await interruptible(terminal, async (signal) => {
    const done: PulledModel[] = []
    for (const id of command.args) {
      const model = await pullOne(terminal, id, signal, (onProgress) =>
        appliance.pullModel(config, { ...common, id, onProgress, signal }),
      )
      if (!wantsJson(command)) terminal.out(`${id}: ${outcomeOf(model)}`)
      done.push(model)
    }
    return done
  })
  if (wantsJson(command)) printJson(terminal, pulled)
  return 0
}

/** One model, with a line that tells how far it is. */
async function pullOne(
  terminal: Terminal,
  id: string,
  signal: AbortSignal,
  fetchIt: (onProgress: PullRequest['onProgress']) => Promise<PulledModel>,
): Promise<PulledModel> {
  const line = createProgressLine(terminal, id)
  try {
    return await fetchIt((progress) => line.show(progress))
  } catch (error) {
    if (!signal.aborted) throw error
    throw new Error(`${id}: stopped; the same command goes on from here`)
  } finally {
    line.end()
  }
}

function outcomeOf({ unchanged, bytes }: PulledModel): string {
  return unchanged && bytes === 0 ? 'is there already' : `${megabytes(bytes)} fetched and verified`
}

async function importFrom(
  context: CommandContext,
  command: Command,
  path: string,
): Promise<ExitCode> {
  const { terminal } = context
  const { config } = context.config(command)
  const id = command.opts<{ as?: string }>().as ?? null
  const source = resolve(terminal.directory, path)
  const appliance = await context.appliance()
  const imported = await interruptible(terminal, (signal) =>
    appliance.importModels(config, { source, id, signal }),
  )
  if (wantsJson(command)) printJson(terminal, imported)
  else
    for (const model of imported)
      terminal.out(`${model.id}: ${model.files} files, ${megabytes(model.bytes)}`)
  return 0
}

function toHub(url: string): string {
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return url
  throw new UsageError(`models pull: the hub must be an http or https address, not "${url}"`)
}
