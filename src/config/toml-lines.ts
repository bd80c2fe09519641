/**
 * The line (from 1) on which each key of a TOML text stands, by its path: `http.port`, `sip.trunks[0].host`.
 *
 * It finds places only and trusts the parser for the rest: what it does not understand it skips.
 */
export function findTomlLines(text: string): Map<string, number> {
  const lines = new Map<string, number>()
  const counts = new Map<string, number>()
  let table = ''
  let closing: string | undefined
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    if (closing !== undefined) {
      if (raw.includes(closing)) closing = undefined
      continue
    }
    const line = raw.trim()
    const header = /^(\[\[?)\s*([^\]]+?)\s*\]\]?/.exec(line)
    if (header) {
      table = enter(keyPath(header[2] ?? ''), header[1] === '[[', counts)
      note(lines, table, index)
      continue
    }
    const pair = /^((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=\s*(.*)$/
    const match = pair.exec(line)
    if (!match) continue
    note(lines, table ? `${table}.${keyPath(match[1] ?? '')}` : keyPath(match[1] ?? ''), index)
    closing = unclosed(match[2] ?? '')
  }
  return lines
}

function note(lines: Map<string, number>, path: string, index: number): void {
  if (!lines.has(path)) lines.set(path, index + 1)
}

/** `[[a.b]]` begins the next element of the list `a.b`; `[a.b.c]` after it lies in the latest one. */
function enter(path: string, isList: boolean, counts: Map<string, number>): string {
  if (isList) {
    const count = counts.get(path) ?? 0
    counts.set(path, count + 1)
    return `${path}[${count}]`
  }
  for (const [name, count] of counts)
    if (path.startsWith(`${name}.`)) return `${name}[${count - 1}]${path.slice(name.length)}`
  return path
}

function keyPath(key: string): string {
  return key
    .split('.')
    .map((part) => part.trim().replace(/^(["'])(.*)\1$/, '$2'))
    .join('.')
}

/** What ends a value that goes on over the next lines; undefined when it ends on this one. */
function unclosed(value: string): string | undefined {
  for (const quotes of ['"""', "'''"])
    if (value.startsWith(quotes)) return value.includes(quotes, 3) ? undefined : quotes
  if (!value.startsWith('[')) return undefined
  return value.replace(/#.*$/, '').trimEnd().endsWith(']') ? undefined : ']'
}
