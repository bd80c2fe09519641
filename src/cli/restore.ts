import { resolve } from 'node:path'
import type { Command } from 'commander'
import { type CommandContext, type ExitCode, printJson, wantsJson } from './command.ts'

export function addRestore(program: Command, context: CommandContext): void {
  program
    .command('restore')
    .description('put a backup in the place of the database; only while no server runs')
    .argument('<file>', 'what `landline backup` wrote')
    .option('--json', 'print { file, replaced }')
    .action(context.run((command, file = '') => restore(context, command, file)))
}

async function restore(
  context: CommandContext,
  command: Command,
  given: string,
): Promise<ExitCode> {
  const { config } = context.config(command)
  const file = resolve(context.terminal.directory, given)
  const { replaced } = await (await context.appliance()).restore(config, file)
  if (wantsJson(command)) printJson(context.terminal, { file, replaced })
  else {
    context.terminal.out(`restored ${file}`)
    if (replaced) context.terminal.out(`the replaced database is kept as ${replaced}`)
  }
  return 0
}
