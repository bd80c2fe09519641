/** Runs the benches named on the command line, or all; prints one table and writes the same as JSON. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { benchApi } from './api.ts'
import { benchMedia } from './media.ts'
import { benchMutated } from './mutated.ts'
import { benchOverhead } from './overhead.ts'
import { type Figure, renderTable } from './report.ts'
import { benchRtp } from './rtp.ts'
import { benchSip } from './sip.ts'
import { benchStart } from './start.ts'
import { benchStt } from './stt.ts'
import { benchTurns } from './turns.ts'
import { benchVad } from './vad.ts'

/** Figures, or a sentence that says why there are none. */
const BENCHES: Record<string, () => Promise<Figure[] | string>> = {
  start: benchStart,
  overhead: benchOverhead,
  rtp: benchRtp,
  api: benchApi,
  sip: benchSip,
  media: benchMedia,
  mutated: benchMutated,
  stt: benchStt,
  vad: benchVad,
  turns: benchTurns,
}

async function main(names: readonly string[]): Promise<number> {
  const unknown = names.filter((name) => !(name in BENCHES))
  if (unknown.length > 0) {
    console.error(`bench: no ${unknown.join(', ')}; there are ${Object.keys(BENCHES).join(', ')}`)
    return 2
  }
  const figures: Figure[] = []
  const loads: Record<string, string> = {}
  const leftOut: string[] = []
  for (const [name, bench] of Object.entries(BENCHES)) {
    if (names.length > 0 && !names.includes(name)) continue
    const before = load()
    console.error(`${name} … (load ${before})`)
    const found = await bench()
    if (typeof found === 'string') leftOut.push(`${name}: ${found}`)
    else figures.push(...found)
    loads[name] = `${before} to ${load()}`
  }
  console.log(renderTable(figures))
  for (const [name, between] of Object.entries(loads))
    console.log(`load over 1 min, ${name}: ${between}`)
  for (const sentence of leftOut) console.log(sentence)
  write({ figures, loads, leftOut })
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
