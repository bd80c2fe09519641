import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { describe, expect, it } from 'vitest'

const floor0 = ['core']
const floor1 = ['calls', 'scheduler', 'billing', 'webhooks', 'config']
/** Which folders each folder may import, itself aside. `docs/ARCHITECTURE.md` explains the floors. */
const allowed: Record<string, readonly string[]> = {
  core: [],
  calls: floor0,
  scheduler: floor0,
  billing: floor0,
  webhooks: floor0,
  config: floor0,
  storage: [...floor0, ...floor1],
  telephony: [...floor0, ...floor1],
  outbound: [...floor0, ...floor1],
  conversation: [...floor0, ...floor1],
  observability: [...floor0, ...floor1],
  inference: [...floor0, ...floor1, 'conversation'],
  simulator: [...floor0, ...floor1, 'telephony', 'conversation'],
  http: [...floor0, ...floor1],
  console: [...floor0, ...floor1],
  cli: [...floor0, ...floor1, 'app.ts'],
}
const everything = [...Object.keys(allowed), 'app.ts']
/** Packages that belong to one place only. */
const homes: [RegExp, string[]][] = [
  [/^(bun:sqlite|drizzle-orm)/, ['storage']],
  [/^(sip\.js|sdp-transform)/, ['telephony']],
  [/^(onnxruntime|ollama|@echogarden|ajv)/, ['inference']],
  [/^(elysia|@elysiajs|swagger-ui-dist)/, ['http', 'console']],
  [/^(pino|prom-client)/, ['observability']],
  [/^commander/, ['cli']],
]
/** Time and chance come from Clock and Ids; what is listed here is where they are made or where a worker starts. */
const ambient =
  /\b(Date\.now|new Date\(\)|setTimeout|setInterval|performance\.now|Math\.random|randomUUID|getRandomValues)\b/g
const mayBeAmbient = [/^core\/clock\.ts$/, /-worker\.ts$/]
const upper = ['http', 'console', 'cli', 'app.ts', 'main.ts']
const pure = new Set([...floor0, ...floor1])

const src = join(import.meta.dirname, '../src')
const files = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .map((file) => file.split(sep).join('/'))
  .filter((file) => /\.tsx?$/.test(file) && !/\.(test|d)\.tsx?$/.test(file))

function problems(file: string, text: string): string[] {
  const found: string[] = []
  const from = file.split('/')[0] as string
  const isRoot = !file.includes('/')
  const may = isRoot ? everything : allowed[from]
  if (!may) return [`${file}: '${from}' has no floor`]
  for (const match of text.matchAll(/(?:from\s|import\(|import\s)\s*['"]([^'"]+)['"]/g)) {
    const target = match[1] as string
    if (target.startsWith('.')) {
      const to = relative(src, resolve(src, dirname(file), target)).split(sep)[0] as string
      if (to === from || isRoot || to === '..') continue
      if (!may.includes(to)) found.push(`${file}: ${from} may not import ${to}`)
      continue
    }
    if (pure.has(from) && target !== 'node:crypto' && !/^(ipaddr\.js)$/.test(target))
      found.push(`${file}: ${from} is pure and may not import ${target}`)
    for (const [pattern, places] of homes)
      if (pattern.test(target) && !places.includes(from) && !isRoot)
        found.push(`${file}: ${target} belongs to ${places.join(', ')}`)
  }
  if (!upper.includes(from) && !isRoot && !mayBeAmbient.some((pattern) => pattern.test(file)))
    for (const match of text.matchAll(ambient))
      found.push(`${file}: ${match[1]}: take it from Clock or Ids`)
  return found
}

describe('the floors', () => {
  it.each(files)('%s imports only lower floors', (file) => {
    expect(problems(file, readFileSync(join(src, file), 'utf8'))).toEqual([])
  })

  it('notices a climb, ambient time and a package away from home', () => {
    const text =
      "import { a } from '../http/api.ts'\nimport { Elysia } from 'elysia'\nconst t = Date.now()"
    expect(problems('calls/x.ts', text)).toHaveLength(4)
  })
})
