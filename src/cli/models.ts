import type { Command } from 'commander'
import { type CommandContext, type ExitCode, printJson, UsageError, wantsJson } from './command.ts'
import { toColumns } from './plain-text.ts'

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
  for (const name of ['pull', 'import'])
    models
      .command(name)
      .description('not available yet')
      .argument('[what...]')
      .allowUnknownOption()
      .action(() => {
        throw new UsageError(`models ${name}: not available yet`)
      })
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
