import type { Command } from 'commander'
import type { CommandContext, ExitCode } from './command.ts'
import { interruptible } from './interrupt.ts'

export function addDemo(program: Command, context: CommandContext): void {
  program
    .command('demo')
    .description('make a whole call on this machine, to the callee inside: no trunk, no network')
    .option('--mute-callee', 'the callee says nothing: the demo must notice and fail')
    .action(context.run((command) => demo(context, command)))
}

async function demo(context: CommandContext, command: Command): Promise<ExitCode> {
  const { terminal } = context
  const muteCallee = command.opts<{ muteCallee?: boolean }>().muteCallee === true
  const ok = await interruptible(terminal, async (signal) =>
    (await context.appliance()).demo({ muteCallee, out: terminal.out, signal }),
  )
  return ok ? 0 : 1
}
