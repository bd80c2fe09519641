import type { Command } from 'commander'
import { VERSION } from '../core/version.ts'
import { type CommandContext, printJson, wantsJson } from './command.ts'

export function addVersion(program: Command, context: CommandContext): void {
  program
    .command('version')
    .description('print the release')
    .option('--json', 'print { version }')
    .action(
      context.run(async (command) => {
        if (wantsJson(command)) printJson(context.terminal, { version: VERSION })
        else context.terminal.out(`landline ${VERSION}`)
        return 0
      }),
    )
}
