/** A known model from the hub into the data directory: asked for, measured, fetched, verified, pinned, put in its place. */
import { statfsSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../core/clock.ts'
import { fetchFile, sizeOf } from './fetch-file.ts'
import { agrees, hashFile } from './file-hash.ts'
import { askHub, type HubFile } from './hub-file.ts'
import { type Hub, HubError } from './hub-request.ts'
import { install, modelsDir, unfinishedDir } from './install.ts'
import { type Lock, type LockedModel, readLock, writeLock } from './lock-file.ts'
import { filesOf, KNOWN_MODELS, type KnownModel, knownModel } from './manifest.ts'

/** Left free on the disk: the database goes on. */
const SPARE_BYTES = 64 * 1024 * 1024

export interface PullProgress {
  /** The file on its way. */
  path: string
  /** Of all files, on the disk and to come; `total` is null where the hub does not tell all sizes. */
  bytes: number
  total: number | null
}

export interface PulledModel {
  id: string
  /** The commit that it is of. */
  revision: string | null
  /** Bytes that came in this run; 0 when all was there. */
  bytes: number
  /** Whether it was there already, whole by size. */
  unchanged: boolean
}

export interface PullModel {
  clock: Clock
  hub: Hub
  dataDir: string
  model: KnownModel
  variant: string | null
  /** Take what the hub has now, whatever was pinned. */
  update: boolean
  onProgress(progress: PullProgress): void
  signal: AbortSignal
  /** Free bytes of the file system that a directory is on. */
  freeBytes?: (dir: string) => number
}

/** `pullModel` of the model that this release knows by that name. Throws an Error that names those that it knows. */
export async function pullKnownModel(
  dataDir: string,
  o: Omit<PullModel, 'hub' | 'dataDir' | 'model'> & {
    id: string
    hub: string
    fetch: typeof fetch
  },
): Promise<PulledModel> {
  const { id, hub, fetch, ...rest } = o
  const model = knownModel(id)
  if (!model)
    throw new Error(
      `no model "${id}" is known; known are ${KNOWN_MODELS.map(({ id }) => id).join(', ')}`,
    )
  return pullModel({ ...rest, dataDir, model, hub: { url: hub, fetch } })
}

/** Throws HubError, or an Error that says what is wrong; AbortError on abort. What has come is kept for the next try. */
export async function pullModel(o: PullModel): Promise<PulledModel> {
  const { dataDir, model } = o
  const { needed, optional } = filesOf(model, o.variant)
  const lock = readLock(modelsDir(dataDir))
  const pinned = o.update ? undefined : lock[model.id]
  if (pinned && isWhole(o, pinned, needed))
    return { id: model.id, revision: pinned.revision, bytes: 0, unchanged: true }
  const dir = unfinishedDir(dataDir, model.id)
  const wanted = await askForAll(o, { needed, optional, pinned })
  const { there, missing } = await sortOut(o, wanted, pinned)
  const parts = missing.map((file) => ({ file, part: join(dir, partName(file)) }))
  refuseWithoutRoom(o, parts)
  const came = await fetchAll(o, parts, pinned)
  install(
    dataDir,
    model.id,
    parts.map(({ file, part }) => ({ path: file.path, from: part })),
  )
  const revision = wanted[0]?.commit ?? null
  pin(lock, model, { revision, files: { ...there, ...came.files }, keep: pinned })
  writeLock(modelsDir(dataDir), lock)
  return { id: model.id, revision, bytes: came.bytes, unchanged: missing.length === 0 }
}

function isWhole(o: PullModel, pinned: LockedModel, needed: readonly string[]): boolean {
  return needed.every((path) => {
    const file = pinned.files[path]
    return file !== undefined && sizeOf(join(modelsDir(o.dataDir), o.model.id, path)) === file.size
  })
}

/** All files at one commit: the one that was pinned, else the one that the revision means now. */
async function askForAll(
  o: PullModel,
  {
    needed,
    optional,
    pinned,
  }: {
    needed: readonly string[]
    optional: readonly string[]
    pinned: LockedModel | undefined
  },
): Promise<HubFile[]> {
  const { repo } = o.model
  let revision = pinned?.revision ?? o.model.revision
  const found: HubFile[] = []
  for (const path of needed) {
    const file = await askHub(o.hub, { repo, revision, path, signal: o.signal })
    revision = file.commit ?? revision
    found.push(file)
  }
  for (const path of optional) {
    const file = await askHub(o.hub, { repo, revision, path, signal: o.signal }).catch(absent)
    if (file) found.push(file)
  }
  return found
}

function absent(error: unknown): null {
  if (error instanceof HubError && error.status === 404) return null
  throw error
}

/** What is in its place already, by what was pinned or, copied there by hand, by the hub's hash; and what is not. */
async function sortOut(
  o: PullModel,
  wanted: readonly HubFile[],
  pinned: LockedModel | undefined,
): Promise<{ there: LockedModel['files']; missing: HubFile[] }> {
  const there: LockedModel['files'] = {}
  const missing: HubFile[] = []
  for (const file of wanted) {
    const place = join(modelsDir(o.dataDir), o.model.id, file.path)
    const known = pinned?.files[file.path]
    const size = sizeOf(place)
    if (known && size === known.size) there[file.path] = known
    else if (!known && file.hash && size > 0 && size === file.size) {
      const found = await hashFile(place, o.signal)
      if (agrees(file.hash, found)) there[file.path] = { size, sha256: found.sha256 }
      else missing.push(file)
    } else missing.push(file)
  }
  return { there, missing }
}

/** Of one content only: a file that has changed on the hub is begun anew. No engine takes it for a model. */
function partName({ path, hash }: HubFile): string {
  return `${encodeURIComponent(path)}.${(hash?.hex ?? 'unknown').slice(0, 16)}.part`
}

type Part = { file: HubFile; part: string }

function refuseWithoutRoom(o: PullModel, parts: readonly Part[]): void {
  const needed = parts.reduce(
    (sum, { file, part }) => sum + Math.max(0, (file.size ?? 0) - sizeOf(part)),
    0,
  )
  if (needed === 0) return
  const free = (o.freeBytes ?? freeBytes)(modelsDir(o.dataDir))
  if (free - SPARE_BYTES < needed)
    throw new Error(
      `${o.model.id} needs ${megabytes(needed)} more on the disk of ${o.dataDir}, which has ${megabytes(free)} left`,
    )
}

function freeBytes(dir: string): number {
  const { bavail, bsize } = statfsSync(dir)
  return bavail * bsize
}

async function fetchAll(
  o: PullModel,
  parts: readonly Part[],
  pinned: LockedModel | undefined,
): Promise<{ files: LockedModel['files']; bytes: number }> {
  const sizes = parts.map(({ file }) => file.size)
  const total = sizes.some((size) => size === null)
    ? null
    : sizes.reduce((sum: number, size) => sum + (size ?? 0), 0)
  const files: LockedModel['files'] = {}
  let done = 0
  let bytes = 0
  for (const { file, part } of parts) {
    const had = sizeOf(part)
    const onProgress = (size: number): void =>
      o.onProgress({ path: file.path, bytes: done + size, total })
    onProgress(had)
    const sha256 = pinned?.files[file.path]?.sha256 ?? null
    const { hub, clock, signal } = o
    const came = await fetchFile({ hub, clock, file, part, sha256, onProgress, signal })
    files[file.path] = came
    done += came.size
    bytes += Math.max(0, came.size - had)
  }
  return { files, bytes }
}

function pin(
  lock: Lock,
  model: KnownModel,
  o: { revision: string | null; files: LockedModel['files']; keep: LockedModel | undefined },
): void {
  const files = { ...o.keep?.files, ...o.files }
  lock[model.id] = { repo: model.repo, revision: o.revision ?? o.keep?.revision ?? null, files }
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1_000_000)} MB`
}
