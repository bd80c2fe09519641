/** The names of all keys: which exist, what is near a misspelt one, and which variable gives them. */
import { RATE_SETTINGS, SETTINGS, TRUNK_SETTINGS } from './settings.ts'

/** Lists of tables, and the keys that one of their tables has. */
export const LIST_TABLES: ReadonlyMap<string, Record<string, { secret?: true }>> = new Map<
  string,
  Record<string, { secret?: true }>
>([
  ['sip.trunks', TRUNK_SETTINGS],
  ['billing.rates', RATE_SETTINGS],
])

/** Each key, and `<key>_file` of each secret; an element of a list of tables is `[]`: `sip.trunks[].host`. */
export const SETTING_PATHS: ReadonlySet<string> = new Set([
  ...withFiles('', SETTINGS),
  ...[...LIST_TABLES].flatMap(([list, table]) => withFiles(`${list}[].`, table)),
])

/** The tables: `http`, `speech`, `speech.stt` … */
export const SECTIONS: ReadonlySet<string> = new Set(
  Object.keys(SETTINGS).flatMap((key) =>
    key.split('.').flatMap((_, i, parts) => (i === 0 ? [] : [parts.slice(0, i).join('.')])),
  ),
)

function withFiles(prefix: string, table: Record<string, { secret?: true }>): string[] {
  return Object.entries(table).flatMap(([key, { secret }]) =>
    secret ? [`${prefix}${key}`, `${prefix}${key}_file`] : [`${prefix}${key}`],
  )
}

export function toPattern(path: string): string {
  return path.replace(/\[\d+\]/, '[]')
}

/** The variable of a key; undefined for the keys of all but the first trunk. */
export function variableOf(path: string): string | undefined {
  const dotted = path.replace(/^sip\.trunks\[0\]\./, 'trunk.')
  if (/[[\]]/.test(dotted)) return undefined
  return `LANDLINE_${dotted.toUpperCase().replaceAll('.', '_')}`
}

/** Variables that are read elsewhere than in the table of settings. */
const OTHER_VARIABLES = ['LANDLINE_CONFIG', 'LANDLINE_API_KEY', 'LANDLINE_BILLING_RATES']

export const VARIABLES: ReadonlySet<string> = new Set([
  ...OTHER_VARIABLES,
  ...[...SETTING_PATHS].flatMap(
    (path) => variableOf(path.replace('sip.trunks[]', 'sip.trunks[0]')) ?? [],
  ),
])

/** The known key that a misspelt one was meant to be; undefined when none is near. */
export function nearestKey(path: string): string | undefined {
  const index = /\[\d+\]/.exec(path)?.[0] ?? '[0]'
  const meant = toPattern(path)
  const near = nearest(meant, [...SETTING_PATHS, ...SECTIONS, ...LIST_TABLES.keys()])
  return near?.replace('[]', index)
}

export function nearestVariable(name: string): string | undefined {
  return nearest(name, [...VARIABLES])
}

function nearest(name: string, known: readonly string[]): string | undefined {
  const scored = known
    .map((candidate) => ({ candidate, distance: editDistance(name, candidate) }))
    .sort((a, b) => a.distance - b.distance)
  const best = scored[0]
  // A short name is near only when hardly a letter is wrong.
  const most = Math.min(3, Math.floor(name.length / 4))
  return best && best.distance <= most ? best.candidate : undefined
}

/** Names longer than this are no misspelling of ours. */
const LONGEST_NAME = 80

/** Levenshtein: how many letters to add, drop or change. */
function editDistance(a: string, b: string): number {
  if (a.length > LONGEST_NAME) return Number.POSITIVE_INFINITY
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
