/**
 * `bun scripts/notices.ts`: writes THIRD-PARTY-NOTICES.txt, the licences of everything that is inside the executable:
 * the packages that the bundler takes in, by their own licence files, and what `licences/` tells of the rest.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './set-up.ts'

export const NOTICES = join(root, 'THIRD-PARTY-NOTICES.txt')

/** Their native parts are copied by `native.ts`: the bundler does not see the packages. */
const COPIED = ['@evan/opus', 'onnxruntime-node']
/** Files at the top of a package that tell how it may be used; those of its bundles tell what is inside these. */
const LICENCE_FILE = /^(licen[cs]e|copying|notice)([.-].*)?$|^swagger-ui-bundle\.js\.LICENSE\.txt$/i
/** What stands in for the file that a package does not have. */
const IN_PLACE: Readonly<Record<string, string>> = {
  'drizzle-orm': 'LICENSE',
  'onnxruntime-common': 'licences/onnxruntime.txt',
  'onnxruntime-node': 'licences/onnxruntime.txt',
}
const PARTS: readonly { name: string; licence: string; file: string }[] = [
  { name: 'Bun 1.4.5, the runtime', licence: 'MIT and others', file: 'licences/bun.txt' },
  {
    name: 'libopus, in the native part of @evan/opus (by audiopus_sys, ISC, https://github.com/Lakelezz/audiopus_sys)',
    licence: 'BSD-3-Clause',
    file: 'licences/libopus.txt',
  },
  { name: 'Models', licence: 'MIT; Apache-2.0', file: 'licences/models.txt' },
]
const RULE = '='.repeat(80)

export interface Package {
  name: string
  version: string
  /** As its package.json names it. */
  licence: string
}

/** The packages inside the executable, by name. Bundles everything, in memory. Throws when that fails. */
export async function embeddedPackages(): Promise<Package[]> {
  const workers = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('-worker.ts'))
    .map((file) => join(root, 'src', file))
  const build = await Bun.build({
    entrypoints: [join(root, 'src/main.ts'), ...workers],
    target: 'bun',
    format: 'esm',
    naming: { entry: '[name].[ext]' },
    metafile: true,
  })
  const names = new Set(COPIED)
  for (const file of Object.keys(build.metafile?.inputs ?? {})) {
    const name = /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1]
    if (name) names.add(name)
  }
  return [...names].sort().map(describe)
}

function describe(name: string): Package {
  const manifest = JSON.parse(readFileSync(join(directoryOf(name), 'package.json'), 'utf8'))
  const { version, license } = manifest as { version: string; license?: string }
  return { name, version, licence: license ?? 'see below' }
}

function directoryOf(name: string): string {
  return join(root, 'node_modules', name)
}

/** The whole text. Throws for a package that nobody knows a licence text of. */
export function renderNotices(packages: readonly Package[]): string {
  const parts = PARTS.map(({ name, licence, file }) => section(`${name}\n${licence}`, [file]))
  const own = packages.map(({ name, version, licence }) =>
    section(`${name} ${version}\n${licence}`, licenceFiles(name)),
  )
  const head = [
    'What is inside the executable of Landline beside its own work, and how it may be used.',
    'Landline itself is under the Apache License, Version 2.0 (the file LICENSE).',
    "What onnxruntime's native part is made of: licences/onnxruntime-third-party.txt.",
  ]
  return `${head.join('\n')}\n\n${[...parts, ...own].join('\n')}`
}

function section(title: string, files: readonly string[]): string {
  const texts = files.map((file) => readFileSync(join(root, file), 'utf8').trim())
  const plain = texts
    .join('\n\n')
    .replaceAll('\r\n', '\n')
    .replace(/[ \t]+$/gm, '')
  return `${RULE}\n${title}\n${RULE}\n\n${plain}\n`
}

function licenceFiles(name: string): string[] {
  const found = readdirSync(directoryOf(name))
    .filter((file) => LICENCE_FILE.test(file))
    .sort()
    .map((file) => join('node_modules', name, file))
  const inPlace = IN_PLACE[name]
  if (found.length > 0) return found
  if (inPlace === undefined || !existsSync(join(root, inPlace)))
    throw new Error(`${name} has no licence file: name one for it in scripts/notices.ts`)
  return [inPlace]
}

async function main(): Promise<void> {
  const packages = await embeddedPackages()
  writeFileSync(NOTICES, renderNotices(packages))
  console.log(`${NOTICES}: ${packages.length} packages`)
}

if (import.meta.main) void main()
