/** Runs the benches named on the command line, or all; prints one table and writes the same as JSON. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { benchApi } from './api.ts'
import { benchOverhead } from './overhead.ts'
import { type Figure, renderTable } from './report.ts'
import { benchRtp } from './rtp.ts'
import { benchStart } from './start.ts'
import { benchVad } from './vad.ts'

const BENCHES: Record<string, () => Promise<Figure[]>> = {
  start: benchStart,
  overhead: benchOverhead,
  rtp: benchRtp,
  api: benchApi,
  vad: benchVad,
}

async function main(names: readonly string[]): Promise<number> {
  const unknown = names.filter((name) => !(name in BENCHES))
  if (unknown.length > 0) {
    console.error(`bench: no ${unknown.join(', ')}; there are ${Object.keys(BENCHES).join(', ')}`)
    return 2
  }
  const figures: Figure[] = []
  const loads: Record<string, string> = {}
  for (const [name, bench] of Object.entries(BENCHES)) {
    if (names.length > 0 && !names.includes(name)) continue
    const before = load()
    console.error(`${name} … (load ${before})`)
    figures.push(...(await bench()))
    loads[name] = `${before} to ${load()}`
  }
  console.log(renderTable(figures))
  for (const [name, between] of Object.entries(loads))
    console.log(`load over 1 min, ${name}: ${between}`)
  write({ figures, loads })
  return 0
}

function load(): string {
  return (loadavg()[0] ?? 0).toFixed(2)
}

function write(results: object): void {
  const directory = join(import.meta.dirname, 'results')
  mkdirSync(directory, { recursive: true })
  const at = new Date().toISOString()
  const file = join(directory, `${at.replaceAll(':', '-')}.json`)
  writeFileSync(file, `${JSON.stringify({ at, ...results }, null, 2)}\n`)
  console.log(`written to ${file}`)
}

// What a bench left running (workers, sockets) must not keep the process.
void main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(error)
    process.exit(1)
  },
)
