import { resolve } from 'node:path'
import type { Command } from 'commander'
import { reasonOf } from '../core/errors.ts'
import type { RunningServer } from './appliance.ts'
import type { CommandContext, ExitCode } from './command.ts'
import { listensOf } from './running-server.ts'

/** Live calls are ended within 10 s; what is not stopped a little later will not stop. */
const LONGEST_STOP_MS = 15_000

export function addServe(program: Command, context: CommandContext): void {
  program
    .command('serve')
    .description('run the appliance until SIGTERM or Ctrl-C')
    .option('--host <host>', 'address that the API listens on')
    .option('--port <port>', 'port of the API; 0 takes a free one')
    .action(context.run((command) => serve(context, command)))
}

async function serve(context: CommandContext, command: Command): Promise<ExitCode> {
  const { terminal } = context
  const { config, file } = context.config(command)
  let signals = 0
  const asked = new Promise<void>((done) => {
    terminal.onSignal(() => {
      signals += 1
      if (signals === 1) done()
      else terminal.exit(1)
    })
  })
  const running = await (await context.appliance()).serve(config, {
    file: file === null ? null : resolve(terminal.directory, file),
    listens: listensOf(config),
  })
  const { log } = running
  // One call's mishap must not end the others: it is told, and the process lives.
  terminal.onFault((error) => log.error('something failed that nothing caught', { error }))
  log.info('serving', { url: running.url })
  await asked
  log.info('stopping')
  return stop(context, running)
}

async function stop(context: CommandContext, running: RunningServer): Promise<ExitCode> {
  const late = context.terminal.sleep(LONGEST_STOP_MS).then(() => 'late' as const)
  const ended = running.stop().then(
    () => 'stopped' as const,
    (error: unknown) => {
      running.log.error('stopping failed', { reason: reasonOf(error) })
      return 'failed' as const
    },
  )
  const result = await Promise.race([ended, late])
  if (result === 'late') running.log.error('stopping took too long')
  if (result === 'stopped') running.log.info('stopped')
  return result === 'stopped' ? 0 : 1
}
