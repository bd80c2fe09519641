/** `landline`: its commands, and the one place where what they throw becomes an exit code. */
import { Command, CommanderError } from 'commander'
import { ConfigError } from '../config/config-error.ts'
import type { Flag } from '../config/parse-config.ts'
import type { SettingKey } from '../config/settings.ts'
import { VERSION } from '../core/version.ts'
import type { Appliance } from './appliance.ts'
import { addBackup } from './backup.ts'
import { addCall } from './call.ts'
import { type CommandContext, type ExitCode, UsageError } from './command.ts'
import { addConfig } from './config.ts'
import { addCredits } from './credits.ts'
import { addDemo } from './demo.ts'
import { addDoctor } from './doctor.ts'
import { addKeys } from './keys.ts'
import { loadConfig } from './load-config.ts'
import { addModels } from './models.ts'
import { toPlainLine } from './plain-text.ts'
import { type Platform, refusePlatform } from './platform.ts'
import { addRestore } from './restore.ts'
import { addSelftest } from './selftest.ts'
import { addServe } from './serve.ts'
import type { Terminal } from './terminal.ts'
import { addVersion } from './version.ts'

export interface CliDeps {
  terminal: Terminal
  platform: Platform
  /** Called at most once, by the first command that needs more than its own words. */
  appliance(): Promise<Appliance>
}

/** Runs one command line (without the program's name). Never throws. */
export async function runCli(args: readonly string[], deps: CliDeps): Promise<ExitCode> {
  const { terminal } = deps
  const refusal = refusePlatform(deps.platform)
  if (refusal) {
    terminal.err(refusal)
    return 2
  }
  let code: ExitCode = 0
  const program = buildProgram(deps, (exit) => {
    code = exit
  })
  try {
    await program.parseAsync(args, { from: 'user' })
    return code
  } catch (error) {
    return explain(error, terminal)
  }
}

function buildProgram(deps: CliDeps, finish: (code: ExitCode) => void): Command {
  const { terminal } = deps
  const program = new Command('landline')
    .description('Phones people on request and reports back, on your own machine.')
    .version(VERSION, '--version', 'print the release')
    .option('--config <file>', 'configuration file (else LANDLINE_CONFIG, else ./landline.toml)')
    .option('--data-dir <dir>', 'data directory, in place of the configured one')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => terminal.out(text.trimEnd()),
      writeErr: (text) => terminal.err(text.trimEnd()),
    })
    .showHelpAfterError('(landline --help lists the commands and options)')
    .exitOverride()
  const context = createContext(deps, finish)
  for (const add of [
    addServe,
    addDemo,
    addSelftest,
    addCall,
    addKeys,
    addCredits,
    addModels,
    addDoctor,
    addBackup,
    addRestore,
    addConfig,
    addVersion,
  ])
    add(program, context)
  return program
}

function createContext(deps: CliDeps, finish: (code: ExitCode) => void): CommandContext {
  const { terminal } = deps
  let loaded: Promise<Appliance> | undefined
  return {
    terminal,
    appliance() {
      loaded ??= deps.appliance()
      return loaded
    },
    config(command) {
      const options = command.optsWithGlobals<Record<string, string | undefined>>()
      const parsed = loadConfig({
        file: options.config,
        flags: toFlags(options),
        env: terminal.env,
        directory: terminal.directory,
      })
      for (const warning of parsed.warnings) terminal.err(`landline: warning: ${warning}`)
      return parsed
    },
    run:
      (body) =>
      async (...args) => {
        // Commander hands over the arguments, then the options, then the command itself.
        const command = args.at(-1) as Command
        finish(await body(command, ...(args.slice(0, -2) as string[])))
      },
  }
}

/** The options that are settings; each command has those that make sense for it. */
const SETTING_OPTIONS: readonly { option: string; flag: string; key: SettingKey }[] = [
  { option: 'dataDir', flag: '--data-dir', key: 'data_dir' },
  { option: 'host', flag: '--host', key: 'http.host' },
  { option: 'port', flag: '--port', key: 'http.port' },
]

function toFlags(options: Record<string, string | undefined>): Flag[] {
  return SETTING_OPTIONS.flatMap(({ option, flag, key }) => {
    const text = options[option]
    return text === undefined ? [] : [{ flag, key, text }]
  })
}

function explain(error: unknown, terminal: Terminal): ExitCode {
  // Commander has printed its own line already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  const message = error instanceof Error ? error.message : String(error)
  terminal.err(`landline: ${toPlainLine(message)}`)
  return error instanceof UsageError || error instanceof ConfigError ? 2 : 1
}
