import type { Command } from 'commander'
import { type CommandContext, type ExitCode, printJson, wantsJson } from './command.ts'
import { toColumns } from './plain-text.ts'

export function addConfig(program: Command, context: CommandContext): void {
  const config = program.command('config').description('the configuration')
  config
    .command('check')
    .description('say whether the configuration can be used')
    .option('--json', 'print { ok, file, warnings }')
    .action(context.run(async (command) => check(context, command)))
  config
    .command('show')
    .description('print every setting and where it came from; secrets are blanked')
    .option('--json', 'print [{ key, value, origin }]')
    .action(context.run(async (command) => show(context, command)))
}

function check(context: CommandContext, command: Command): ExitCode {
  const { file, warnings } = context.config(command)
  if (wantsJson(command)) printJson(context.terminal, { ok: true, file, warnings })
  else context.terminal.out(`configuration: ok (${file ?? 'no file'})`)
  return 0
}

function show(context: CommandContext, command: Command): ExitCode {
  const { shown, config } = context.config(command)
  const settings = shown.map((setting) =>
    setting.key === 'account.timezone' && setting.value === 'none'
      ? { ...setting, value: JSON.stringify(config.account.timezone) }
      : setting,
  )
  if (wantsJson(command))
    printJson(
      context.terminal,
      settings.map(({ key, value, origin }) => ({ key, value: toJson(value), origin })),
    )
  else
    for (const line of toColumns(
      settings.map(({ key, value, origin }) => [`${key} = ${value}`, `# ${origin}`]),
    ))
      context.terminal.out(line)
  return 0
}

/** TOML values as `config show` writes them are JSON, but for the two words for what is absent and what is secret. */
function toJson(value: string): unknown {
  if (value === 'none') return null
  return value === '[secret]' ? value : JSON.parse(value)
}
