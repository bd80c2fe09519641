import type { Command } from 'commander'
import type { CommandContext, ExitCode } from './command.ts'

export function addDemo(program: Command, context: CommandContext): void {
  program
    .command('demo')
    .description('make a whole call on this machine, to the callee inside: no trunk, no network')
    .option('--mute-callee', 'the callee says nothing: the demo must notice and fail')
    .action(context.run((command) => demo(context, command)))
}

async function demo(context: CommandContext, command: Command): Promise<ExitCode> {
  const { terminal } = context
  const interrupt = new AbortController()
  const forget = terminal.onSignal(() => {
    if (interrupt.signal.aborted) terminal.exit(1)
    else interrupt.abort()
  })
  try {
    const ok = await (await context.appliance()).demo({
      muteCallee: command.opts<{ muteCallee?: boolean }>().muteCallee === true,
      out: terminal.out,
      signal: interrupt.signal,
    })
    return ok ? 0 : 1
  } finally {
    forget()
  }
}
