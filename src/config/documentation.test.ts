import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { variableOf } from './setting-paths.ts'
import { RATE_SETTINGS, SETTINGS, type Setting, TRUNK_SETTINGS } from './settings.ts'

const page = readFileSync(join(import.meta.dirname, '../../docs/configuration.md'), 'utf8')
/** The rows of the tables: key, then the other cells. */
const rows = new Map(
  [...page.matchAll(/^\| `([\w.]+)` \|(.*)\|$/gm)].map(([, key, rest]) => [
    key,
    (rest ?? '').split('|').map((cell) => cell.trim()),
  ]),
)
/** Defaults that are no values: told in words. */
const IN_WORDS = [
  ...['account.timezone', 'name', 'host', 'port', 'domain', 'transport'],
  ...['prefix', 'cents_per_minute'],
]
const all: [string, Setting<unknown>][] = [SETTINGS, TRUNK_SETTINGS, RATE_SETTINGS].flatMap(
  (table) => Object.entries(table) as [string, Setting<unknown>][],
)

describe('docs/configuration.md', () => {
  it.each(all)('tells the key %s and its default', (key, setting) => {
    const shown = setting.kind.show(setting.default)
    if (!IN_WORDS.includes(key)) expect(rows.get(key)?.[0]?.replaceAll('`', '')).toBe(shown)
    expect(rows.has(key)).toBe(true)
  })

  it.each(Object.keys(SETTINGS))('tells the variable of %s', (key) => {
    expect(rows.get(key)?.[1]).toBe(`\`${variableOf(key)}\``)
  })

  it.each(all.filter(([, setting]) => setting.secret))('marks %s as a secret', (key) => {
    expect(rows.get(key)?.at(-1)).toMatch('secret')
  })

  it.each(all.filter(([, setting]) => setting.notYet))('marks %s as not yet', (key) => {
    expect(rows.get(key)?.at(-1)).toMatch('not yet')
  })

  it('tells no key that does not exist', () => {
    expect([...rows.keys()].filter((key) => !all.some(([known]) => known === key))).toEqual([])
  })
})
