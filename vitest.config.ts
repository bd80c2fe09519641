import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, resolve } from 'node:path'
import { defineConfig } from 'vitest/config'

// Vite does not know Bun's `with { type: 'text' | 'file' }`: texts become strings, other assets their path.
const TEXT = /\.(sql|txt|md|html|toml|dialogue|scene)$/
const FILE =
  /\.(wasm|css|svg|onnx|node|bin)$|libonnxruntime\.so\.1$|swagger-ui-bundle\.js$|THIRD-PARTY-NOTICES\.txt$|third-party\.txt$/
const isText = (path: string): boolean => TEXT.test(path) && !FILE.test(path)
const bunAssets = {
  name: 'bun-assets',
  enforce: 'pre' as const,
  resolveId(source: string, importer?: string) {
    if (!TEXT.test(source) && !FILE.test(source)) return
    const path = /^[./]/.test(source)
      ? resolve(dirname(importer ?? ''), source)
      : createRequire(importer ?? import.meta.url).resolve(source)
    return `\0bun-asset:${path}.js`
  },
  load(id: string) {
    if (!id.startsWith('\0bun-asset:')) return
    const path = id.slice('\0bun-asset:'.length, -'.js'.length)
    return `export default ${JSON.stringify(isText(path) ? readFileSync(path, 'utf8') : path)}`
  },
}

// The forks pool does not start under Bun 1.4.5 (child.channel.unref is not a function): threads.
const shared = { pool: 'threads', testTimeout: 20_000, hookTimeout: 20_000 } as const
const patient = { testTimeout: 60_000, hookTimeout: 120_000 } as const
/** These look at when each packet of sound comes, or load the machine: one at a time, so that no neighbour makes them late. */
const ALONE = [
  'test/wire/media*.test.ts',
  'test/wire/sip-sound.test.ts',
  'test/wire/sip-adversary-sound.test.ts',
  'test/interop/sip-load.test.ts',
  'test/interop/sip-nat.test.ts',
  'test/interop/appliance/harm.test.ts',
  'test/interop/appliance/baresip.test.ts',
  'test/interop/appliance/opus.test.ts',
]

export default defineConfig({
  test: {
    reporters: ['default', './test/kit/totals-reporter.ts'],
    projects: [
      {
        plugins: [bunAssets],
        test: {
          ...shared,
          name: 'logic',
          include: ['src/**/*.test.ts', 'test/*.test.ts', 'test/scenarios/**/*.test.ts'],
          maxWorkers: 2,
        },
      },
      {
        // Real time on real sockets; none of it is late when a neighbour takes its share of the processor.
        plugins: [bunAssets],
        test: {
          ...shared,
          ...patient,
          name: 'wire',
          include: ['test/wire/**/*.test.ts', 'test/interop/**/*.test.ts'],
          exclude: ALONE,
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
        },
      },
      {
        plugins: [bunAssets],
        test: {
          ...shared,
          ...patient,
          name: 'alone',
          include: ALONE,
          maxWorkers: 1,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
})
