import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { type CommandContext, type ExitCode, printJson, wantsJson } from './command.ts'

export function addBackup(program: Command, context: CommandContext): void {
  program
    .command('backup')
    .description('copy the database, whether or not the server runs')
    .argument('<file>', 'the copy; must not exist')
    .option('--json', 'print { file, bytes }')
    .action(context.run((command, file = '') => backup(context, command, file)))
}

async function backup(context: CommandContext, command: Command, given: string): Promise<ExitCode> {
  const { config } = context.config(command)
  if (!existsSync(config.dataDir))
    throw new Error(`backup: there is no data directory at ${config.dataDir}`)
  const file = resolve(context.terminal.directory, given)
  const data = await (await context.appliance()).openData(config)
  try {
    const { bytes } = await data.backup(file)
    if (wantsJson(command)) printJson(context.terminal, { file, bytes })
    else context.terminal.out(`copied the database to ${file} (${bytes} bytes)`)
  } finally {
    await data.close()
  }
  return 0
}
