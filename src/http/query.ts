import { parseTimestamp } from '../core/timestamp.ts'
import { invalid } from './errors.ts'
import type { Page, PageKey } from './services.ts'

/** Query parameters of one request, each given once. */
export type Query = ReadonlyMap<string, string>

/**
 * Reads the query of a URL and refuses parameters that are not in `known`. A `+` stands for itself, so that
 * `toNumber=+15551234567` and `+02:00` mean what they say; no value here ever holds a space.
 */
export function parseQuery(url: string, known: readonly string[]): Query {
  const query = new Map<string, string>()
  const start = url.indexOf('?')
  const text = start < 0 ? '' : (url.slice(start + 1).split('#')[0] ?? '')
  for (const pair of text.split('&')) {
    if (pair === '') continue
    const at = pair.indexOf('=')
    const name = decode(at < 0 ? pair : pair.slice(0, at))
    if (!known.includes(name))
      throw invalid(
        `Unknown query parameter ${JSON.stringify(name.slice(0, 60))}. Known: ${known.join(', ')}.`,
      )
    if (query.has(name)) throw invalid(`The query parameter ${name} is given twice.`)
    query.set(name, at < 0 ? '' : decode(pair.slice(at + 1)))
  }
  return query
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw invalid('The query is not valid percent-encoded UTF-8.')
  }
}

/** `limit`, 1 to 100, else 20. */
export function readLimit(query: Query): number {
  const text = query.get('limit')
  if (text === undefined) return 20
  const limit = /^\d{1,3}$/.test(text) ? Number(text) : 0
  if (limit < 1 || limit > 100) throw invalid('limit must be a whole number from 1 to 100.')
  return limit
}

/** A timestamp in a query, in milliseconds since the epoch. */
export function readTime(query: Query, name: string): number | undefined {
  const text = query.get(name)
  if (text === undefined) return undefined
  const parsed = parseTimestamp(text)
  if ('problem' in parsed)
    throw invalid(`${name} must be a date and time with a zone, for example 2026-03-20T18:30:00Z.`)
  return parsed.at
}

/** One of `choices`. */
export function readChoice<T extends string>(
  query: Query,
  name: string,
  choices: readonly T[],
): T | undefined {
  const text = query.get(name)
  if (text === undefined) return undefined
  const choice = choices.find((known) => known === text)
  if (choice === undefined) throw invalid(`${name} must be one of ${choices.join(', ')}.`)
  return choice
}

/** Reads `cursor`: only what `renderPage` made passes. */
export function readCursor(query: Query): PageKey | null {
  const text = query.get('cursor')
  if (text === undefined) return null
  const match = /^(\d{1,15})\.([0-9a-f-]{36})$/.exec(Buffer.from(text, 'base64url').toString())
  const [, createdAt, id] = match ?? []
  if (
    createdAt === undefined ||
    id === undefined ||
    toCursor({ createdAt: +createdAt, id }) !== text
  )
    throw invalid('cursor must be the nextCursor of a former page.')
  return { createdAt: Number(createdAt), id }
}

/** `{ data, nextCursor }`. */
export function renderPage(page: Page): { data: readonly object[]; nextCursor: string | null } {
  return { data: page.data, nextCursor: page.next ? toCursor(page.next) : null }
}

function toCursor(key: PageKey): string {
  return Buffer.from(`${key.createdAt}.${key.id}`).toString('base64url')
}
