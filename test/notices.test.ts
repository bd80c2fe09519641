import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { embeddedPackages, NOTICES, renderNotices } from '../scripts/notices.ts'

describe('the notices of what is inside the executable', () => {
  it('are those of the packages that the bundler takes in now (else: bun scripts/notices.ts)', async () => {
    const packages = await embeddedPackages()
    expect(packages.length).toBeGreaterThan(20)
    // What is expected is the whole text; what is told when it is not, is the packages.
    const written = readFileSync(NOTICES, 'utf8')
    const missing = packages.filter(
      ({ name, version }) => !written.includes(`${name} ${version}\n`),
    )
    expect(missing).toEqual([])
    expect(written === renderNotices(packages)).toBe(true)
  })

  it('name the native parts, the runtime and the models', () => {
    const written = readFileSync(NOTICES, 'utf8')
    for (const part of ['@evan/opus ', 'libopus', 'onnxruntime-node ', 'Bun 1.4.5', 'Silero VAD'])
      expect(written).toContain(part)
    const { dependencies } = JSON.parse(
      readFileSync(join(import.meta.dirname, '../package.json'), 'utf8'),
    ) as { dependencies: Record<string, string> }
    for (const name of Object.keys(dependencies)) expect(written).toContain(`\n${name} `)
  })
})
