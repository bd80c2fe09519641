import type { Command } from 'commander'
import { sha256 } from '../core/ids.ts'
import type { OwnersData } from './appliance.ts'
import {
  type CommandContext,
  type ExitCode,
  printJson,
  UsageError,
  wantsJson,
  withData,
} from './command.ts'
import { toColumns, toPlainLine } from './plain-text.ts'

const LONGEST_NAME = 100
/** Of the keys that `call` makes for itself and revokes: once revoked they are no news to anybody. */
export const TEMPORARY_KEY_NAME = 'landline call (temporary)'

export function addKeys(program: Command, context: CommandContext): void {
  const keys = program.command('keys').description('API keys: make, list, revoke')
  keys
    .command('create')
    .description('make a key; it is shown only this once')
    .requiredOption('--name <name>', 'what it is for')
    .option('--json', 'print { id, name, key }')
    .action(context.run((command) => create(context, command)))
  keys
    .command('list')
    .description('list the keys, without the keys themselves')
    .option('--json', 'print a JSON array')
    .action(context.run((command) => list(context, command)))
  keys
    .command('revoke')
    .description('end a key at once')
    .argument('<id>', 'its id, as `landline keys list` shows it')
    .option('--json', 'print { id, revoked }')
    .action(context.run((command, id = '') => revoke(context, command, id)))
}

/** Makes a key and returns it; only its hash is stored. */
export async function createKey(
  data: OwnersData,
  name: string,
): Promise<{ id: string; name: string; key: string }> {
  const key = data.ids.apiKey()
  const id = data.ids.uuid()
  await data.keys.create({ id, name, hash: sha256(key), createdAt: data.clock.now() })
  return { id, name, key }
}

async function create(context: CommandContext, command: Command): Promise<ExitCode> {
  const name = (command.opts<{ name: string }>().name ?? '').trim()
  if (name === '' || name.length > LONGEST_NAME)
    throw new UsageError(`keys create: --name must be 1 to ${LONGEST_NAME} characters`)
  const made = await withData(context, command, (data) => createKey(data, name))
  if (wantsJson(command)) printJson(context.terminal, made)
  else
    for (const line of toColumns([
      ['id:', made.id],
      ['name:', toPlainLine(made.name)],
      ['key:', made.key],
    ]))
      context.terminal.out(line)
  if (!wantsJson(command)) context.terminal.err('Keep the key now: it is not shown again.')
  return 0
}

async function list(context: CommandContext, command: Command): Promise<ExitCode> {
  const keys = await withData(context, command, (data) => data.keys.list())
  const shown = keys
    .filter(({ name, revokedAt }) => name !== TEMPORARY_KEY_NAME || revokedAt === null)
    .map((key) => ({
      id: key.id,
      name: key.name,
      createdAt: toIso(key.createdAt),
      revokedAt: key.revokedAt === null ? null : toIso(key.revokedAt),
    }))
  if (wantsJson(command)) printJson(context.terminal, shown)
  else if (shown.length === 0)
    context.terminal.out('No keys. Make one: landline keys create --name NAME')
  else
    for (const line of toColumns([
      ['ID', 'NAME', 'CREATED', 'REVOKED'],
      ...shown.map((key) => [key.id, toPlainLine(key.name), key.createdAt, key.revokedAt ?? '']),
    ]))
      context.terminal.out(line)
  return 0
}

async function revoke(context: CommandContext, command: Command, id: string): Promise<ExitCode> {
  const revoked = await withData(context, command, (data) => data.keys.revoke(id, data.clock.now()))
  if (!revoked) throw new Error(`keys revoke: there is no unrevoked key with the id ${id}`)
  if (wantsJson(command)) printJson(context.terminal, { id, revoked: true })
  else context.terminal.out(`revoked ${id}`)
  return 0
}

function toIso(at: number): string {
  return new Date(at).toISOString()
}
