/** What a running server tells the commands beside it, in a file of its data directory. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isInstanceLocked } from './instance-lock.ts'

export interface ServerFacts {
  pid: number
  /** When it began to answer, ms since the epoch. */
  startedAt: number
  /** Where the API answers. */
  url: string
  /** The configuration file that it read; null without one. */
  file: string | null
  /** The settings of where it listens, by their names. */
  listens: Record<string, string | number>
}

const NAME = 'landline.server.json'
/** No file of ours is longer. */
const LONGEST = 16 * 1024

/** Call it while the instance lock is held. Returns the function that takes it back. */
export function tellServer(dataDir: string, facts: ServerFacts): () => void {
  const path = join(dataDir, NAME)
  writeFileSync(path, `${JSON.stringify(facts)}\n`, { mode: 0o600 })
  return () => rmSync(path, { force: true })
}

/**
 * The server that runs on a data directory: `unknown` when one does and does not say more, null when none does,
 * whatever a process that died has left there.
 */
export function findServer(dataDir: string): ServerFacts | 'unknown' | null {
  if (!isInstanceLocked(dataDir)) return null
  try {
    const text = readFileSync(join(dataDir, NAME), 'utf8')
    const facts: unknown = text.length > LONGEST ? null : JSON.parse(text)
    return isFacts(facts) ? facts : 'unknown'
  } catch {
    return 'unknown'
  }
}

function isFacts(value: unknown): value is ServerFacts {
  if (typeof value !== 'object' || value === null) return false
  const { pid, startedAt, url, file, listens } = value as Record<string, unknown>
  return (
    Number.isSafeInteger(pid) &&
    Number.isFinite(new Date(Number(startedAt)).getTime()) &&
    typeof startedAt === 'number' &&
    typeof url === 'string' &&
    URL.canParse(url) &&
    (file === null || typeof file === 'string') &&
    typeof listens === 'object' &&
    listens !== null
  )
}
