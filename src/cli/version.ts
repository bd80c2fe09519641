import type { Command } from 'commander'
import { VERSION } from '../core/version.ts'
import { type CommandContext, printJson, wantsJson } from './command.ts'
import { readNotices } from './notices.ts'

export function addVersion(program: Command, context: CommandContext): void {
  program
    .command('version')
    .description('print the release')
    .option('--json', 'print { version }')
    .option('--notices', 'print the licences of what is inside the executable')
    .action(
      context.run(async (command) => {
        if (command.opts<{ notices?: boolean }>().notices) context.terminal.out(readNotices())
        else if (wantsJson(command)) printJson(context.terminal, { version: VERSION })
        else context.terminal.out(`landline ${VERSION}`)
        return 0
      }),
    )
}
