/** What all commands share: what they are given, how they fail, how they end. */
import type { Command } from 'commander'
import type { ParsedConfig } from '../config/parse-config.ts'
import type { Appliance, OwnersData } from './appliance.ts'
import type { Terminal } from './terminal.ts'

/** 0 done, 1 failed, 2 usage or configuration. */
export type ExitCode = 0 | 1 | 2

export interface CommandContext {
  terminal: Terminal
  /** Loads everything behind the command line; not before a command needs it. */
  appliance(): Promise<Appliance>
  /** Reads the configuration that the options of `command` name; warnings go to stderr. Throws ConfigError. */
  config(command: Command): ParsedConfig
  /** The action of a command: its exit code is the process's. */
  run(
    body: (command: Command, ...args: string[]) => Promise<ExitCode>,
  ): (...args: unknown[]) => Promise<void>
}

/** The command was used in a way that it does not know: exit 2. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'UsageError'
  }
}

/** Opens the owner's data for `body` and closes it, whatever happens. */
export async function withData<T>(
  context: CommandContext,
  command: Command,
  body: (data: OwnersData) => Promise<T>,
): Promise<T> {
  const { config } = context.config(command)
  const data = await (await context.appliance()).openData(config)
  try {
    return await body(data)
  } finally {
    await data.close()
  }
}

/** Whether the answer is asked for as JSON. */
export function wantsJson(command: Command): boolean {
  return command.opts<{ json?: boolean }>().json === true
}

export function printJson(terminal: Terminal, value: unknown): void {
  terminal.out(JSON.stringify(value))
}
