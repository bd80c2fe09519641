import type { Command } from 'commander'
import { formatCents } from './call-report.ts'
import {
  type CommandContext,
  type ExitCode,
  printJson,
  UsageError,
  wantsJson,
  withData,
} from './command.ts'

const MOST_CENTS = 1_000_000_000

export function addCredits(program: Command, context: CommandContext): void {
  const credits = program.command('credits').description('the prepaid balance')
  credits
    .command('show')
    .description('print the balance')
    .option('--json', 'print { balance }, in cents')
    .action(context.run((command) => show(context, command)))
  credits
    .command('add')
    .description('add to the balance')
    .argument('<cents>', 'how much, in whole cents')
    .option('--json', 'print { balance }, in cents')
    .action(context.run((command, cents = '') => add(context, command, cents)))
}

async function show(context: CommandContext, command: Command): Promise<ExitCode> {
  const account = await withData(context, command, (data) => data.ledger.account())
  return print(context, command, account.balanceCents)
}

async function add(context: CommandContext, command: Command, given: string): Promise<ExitCode> {
  const amountCents = /^\d{1,10}$/.test(given) ? Number(given) : 0
  if (amountCents < 1 || amountCents > MOST_CENTS)
    throw new UsageError(
      `credits add: CENTS must be a whole number from 1 to ${MOST_CENTS}, not "${given}"`,
    )
  const account = await withData(context, command, (data) =>
    data.ledger.credit({ id: data.ids.uuid(), amountCents, at: data.clock.now() }),
  )
  return print(context, command, account.balanceCents)
}

function print(context: CommandContext, command: Command, balance: number): ExitCode {
  if (wantsJson(command)) printJson(context.terminal, { balance })
  else context.terminal.out(`balance: ${formatCents(balance)}`)
  return 0
}
