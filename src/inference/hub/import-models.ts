/** Models from a directory or an archive into the data directory, without any network. */
import { copyFileSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { hashFile } from './file-hash.ts'
import { install, modelsDir, unfinishedDir } from './install.ts'
import { LOCK_FILE, type LockedModel, readLock, writeLock } from './lock-file.ts'
import { knownModel } from './manifest.ts'
import { extractTar } from './tar.ts'

const ID = /^[A-Za-z0-9][A-Za-z0-9._-]*$/
const MOST_DEPTH = 6

export interface ImportedModel {
  id: string
  files: number
  bytes: number
}

/**
 * Copies each model of `source`: a model's directory, a directory of such, or a tar archive of either. A model that is
 * pinned, here or by a lock file beside it, has to be what was pinned. Throws an Error that says what is wrong; then none
 * of what is wrong has been put in place.
 */
export async function importModels(o: {
  dataDir: string
  /** Absolute. */
  source: string
  /** What the one model of the source is to be called; by its directory's name unless given. */
  id: string | null
  signal: AbortSignal
}): Promise<ImportedModel[]> {
  const about = statSync(o.source, { throwIfNoEntry: false })
  if (!about) throw new Error(`${o.source}: there is no such directory or archive`)
  if (about.isDirectory()) return importDirectory(o)
  const unpacked = unfinishedDir(o.dataDir, '.import')
  try {
    await extractTar(o.source, unpacked, o.signal)
    return await importDirectory({ ...o, source: unpacked })
  } finally {
    rmSync(unpacked, { recursive: true, force: true })
  }
}

async function importDirectory(o: {
  dataDir: string
  source: string
  id: string | null
  signal: AbortSignal
}): Promise<ImportedModel[]> {
  const found = modelsIn(o.source)
  if (found.length === 0)
    throw new Error(`${o.source} holds no model: no .onnx file in it or in its directories`)
  if (o.id !== null && found.length > 1)
    throw new Error(`${o.source} holds ${found.length} models: they keep their names`)
  const imported: ImportedModel[] = []
  for (const dir of found) {
    const id = o.id ?? basename(resolve(dir))
    if (!ID.test(id)) throw new Error(`"${id}" is no name for a model: say --as NAME`)
    const foreign = readLock(dirname(resolve(dir)))[id]
    imported.push(await importOne({ ...o, dir, id, foreign }))
  }
  return imported
}

/** The directory itself when it is a model's, else those in it that are; or in the only directory that it holds. */
function modelsIn(source: string): string[] {
  if (isModel(source)) return [source]
  const inner = readdirSync(source, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map(({ name }) => join(source, name))
    .sort()
  const models = inner.filter(isModel)
  const [only] = inner
  return models.length === 0 && inner.length === 1 && only ? inner.flatMap(modelsIn) : models
}

/** Weights in itself or in `onnx/`, or a configuration beside deeper ones, as a voice of Piper has. */
function isModel(dir: string): boolean {
  const names = filesUnder(dir, '', 2)
  return names.some((name) => /^(onnx\/)?[^/]+\.onnx$/.test(name)) || knownByFiles(dir)
}

function knownByFiles(dir: string): boolean {
  const known = knownModel(basename(resolve(dir)))
  if (!known) return false
  const names = new Set(filesUnder(dir, ''))
  return known.files.every((path) => names.has(path))
}

function filesUnder(dir: string, prefix: string, depth = MOST_DEPTH): string[] {
  if (depth === 0) return []
  return readdirSync(join(dir, prefix), { withFileTypes: true }).flatMap((entry) => {
    const path = prefix === '' ? entry.name : `${prefix}/${entry.name}`
    if (entry.name.startsWith('.') || entry.name === LOCK_FILE) return []
    return entry.isDirectory() ? filesUnder(dir, path, depth - 1) : [path]
  })
}

async function importOne(o: {
  dataDir: string
  dir: string
  id: string
  foreign: LockedModel | undefined
  signal: AbortSignal
}): Promise<ImportedModel> {
  const { dataDir, dir, id } = o
  const lock = readLock(modelsDir(dataDir))
  const pinned = lock[id] ?? o.foreign
  const unfinished = unfinishedDir(dataDir, id)
  const files: LockedModel['files'] = {}
  const places: { path: string; from: string }[] = []
  for (const path of filesUnder(dir, '')) {
    o.signal.throwIfAborted()
    const from = join(unfinished, `${encodeURIComponent(path)}.import.part`)
    mkdirSync(dirname(from), { recursive: true })
    copyFileSync(join(dir, path), from)
    const { size, sha256 } = await hashFile(from, o.signal)
    const wanted = pinned?.files[path]
    if (wanted && wanted.sha256 !== sha256)
      throw new Error(
        `${join(dir, path)} is not what was pinned for ${id}: sha256 ${sha256} instead of ${wanted.sha256}`,
      )
    files[path] = { size, sha256 }
    places.push({ path, from })
  }
  install(dataDir, id, places)
  const { repo = null, revision = null } = pinned ?? {}
  lock[id] = { repo, revision, files: { ...lock[id]?.files, ...files } }
  writeLock(modelsDir(dataDir), lock)
  const bytes = Object.values(files).reduce((sum, { size }) => sum + size, 0)
  return { id, files: places.length, bytes }
}
