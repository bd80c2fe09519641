import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { parse } from '../test/kit/config.ts'
import { SimClock } from '../test/kit/sim-clock.ts'
import { silentLog } from './core/log.ts'
import { createEngines } from './engines.ts'

const made: string[] = []
afterEach(() => {
  for (const dir of made.splice(0)) rmSync(dir, { recursive: true })
})

function setup() {
  const dataDir = mkdtempSync(join(tmpdir(), 'landline-engines-'))
  made.push(dataDir)
  const { config } = parse({ env: { LANDLINE_DATA_DIR: dataDir } })
  const create = () => createEngines(config, { clock: new SimClock(), log: silentLog })
  return { dataDir, create }
}

describe('the engines', () => {
  it('have a turn model only where one is installed, begun and stopped like the others', () => {
    const { dataDir, create } = setup()
    const without = create()
    expect(without.engines.turns).toBeUndefined()
    mkdirSync(join(dataDir, 'models/smart-turn'), { recursive: true })
    const { engines, parts } = create()
    expect(engines.turns).toBeDefined()
    expect(parts).toContain(engines.turns)
    expect(parts).toHaveLength(without.parts.length + 1)
  })
})
