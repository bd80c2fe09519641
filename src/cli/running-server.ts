/** What doctor says of the server that runs on the same data directory. */
import { statSync } from 'node:fs'
import type { Config } from '../config/config.ts'
import type { RunningFacts } from './appliance.ts'

/** The settings of where a server listens, by their names. */
export function listensOf({ http, sip }: Config): Record<string, string | number> {
  return {
    'http.host': http.host,
    'http.port': http.port,
    'sip.host': sip.host,
    'sip.port': sip.port,
  }
}

/** One line for each thing that a person should know who reads this configuration beside that server. */
export function notesOf(
  running: RunningFacts | 'unknown' | null,
  o: { config: Config; file: string | null },
): string[] {
  if (running === null) return []
  if (running === 'unknown') return [`a server runs on ${o.config.dataDir}`]
  const since = new Date(running.startedAt).toISOString()
  return [
    `a server runs on ${o.config.dataDir}: process ${running.pid}, at ${running.url}, since ${since}`,
    ...differences(running, o),
  ]
}

function differences(
  running: RunningFacts,
  { config, file }: { config: Config; file: string | null },
): string[] {
  const listens = Object.entries(listensOf(config)).flatMap(([key, read]) => {
    const its = running.listens[key]
    return its === undefined || its === read
      ? []
      : [`the server has ${key} = ${its}, this configuration ${read}: restart it to change that`]
  })
  if (file !== running.file)
    return [
      ...listens,
      `the server read ${running.file ?? 'no configuration file'}, doctor ${file ?? 'none'}: name the same with --config`,
    ]
  return file !== null && changedAt(file) > running.startedAt
    ? [...listens, `${file} was changed after the server started: restart it to use that`]
    : listens
}

function changedAt(file: string): number {
  try {
    return statSync(file).mtimeMs
  } catch {
    return 0
  }
}
