/** One file of the hub onto the disk: goes on where an earlier try broke off, and is verified before it counts. */
import { rmSync, statSync, truncateSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { type Clock, sleep } from '../../core/clock.ts'
import { agrees, hashFile } from './file-hash.ts'
import type { HubFile } from './hub-file.ts'
import { type Hub, HubError, refusal, request } from './hub-request.ts'

/** Without a byte for so long a connection is given up and taken up anew. */
const STALL_MS = 30_000
/** So often in a row without a byte more. */
const MOST_TRIES = 5
const FIRST_WAIT_MS = 500

export interface FetchFile {
  hub: Hub
  clock: Clock
  file: HubFile
  /** The unfinished file. */
  part: string
  /** Where it was pinned: the only content that is taken. */
  sha256: string | null
  /** Bytes on the disk. */
  onProgress(bytes: number): void
  signal: AbortSignal
}

/**
 * Makes `part` whole and verified; returns its hash and size. What is there already is kept when a try breaks off or
 * `signal` aborts (AbortError), and taken away when it turns out to be wrong. Throws HubError.
 */
export async function fetchFile(o: FetchFile): Promise<{ sha256: string; size: number }> {
  if (o.sha256 === null && o.file.hash === null)
    throw new HubError(`${o.file.path}: the hub gives no hash by which it could be verified`)
  const begunBefore = sizeOf(o.part) > 0
  try {
    return await fetchOnce(o)
  } catch (error) {
    // What an earlier run left may be broken: the whole file gets one chance.
    if (!(error instanceof WrongContent) || !begunBefore) throw error
    return await fetchOnce(o)
  }
}

class WrongContent extends HubError {}

async function fetchOnce(o: FetchFile): Promise<{ sha256: string; size: number }> {
  const { file, part } = o
  if (file.size !== null && sizeOf(part) > file.size) rmSync(part)
  await fetchWhole(o)
  const found = await hashFile(part, o.signal)
  const wanted = o.sha256 === null ? file.hash : { kind: 'sha256' as const, hex: o.sha256 }
  const sized = file.size === null || found.size === file.size
  if (sized && wanted && agrees(wanted, found)) return { sha256: found.sha256, size: found.size }
  rmSync(part, { force: true })
  const by = o.sha256 === null ? 'the hub says' : 'was pinned when it was first pulled'
  const is = wanted?.kind === 'git-blob' ? found.gitBlob : found.sha256
  throw new WrongContent(
    `${file.path}: what came is not what ${by}: ${is} instead of ${wanted?.hex}`,
  )
}

/** Tries until the file is whole, as long as each few tries bring more of it. */
async function fetchWhole(o: FetchFile): Promise<void> {
  let vain = 0
  for (;;) {
    const had = sizeOf(o.part)
    if (o.file.size !== null && had === o.file.size && had > 0) return
    try {
      await fetchRest(o, had)
      return
    } catch (error) {
      if (o.signal.aborted || !(error instanceof HubError) || error.retryAfterMs === null)
        throw error
      vain = sizeOf(o.part) > had ? 0 : vain + 1
      if (vain >= MOST_TRIES) throw error
      const wait = Math.max(error.retryAfterMs, FIRST_WAIT_MS * 2 ** vain)
      await sleep(o.clock, wait, o.signal)
      o.signal.throwIfAborted()
    }
  }
}

async function fetchRest(o: FetchFile, from: number): Promise<void> {
  const { hub, file, part } = o
  const stalled = new AbortController()
  const signal = AbortSignal.any([o.signal, stalled.signal])
  const headers: Record<string, string> = from > 0 ? { range: `bytes=${from}-` } : {}
  let forget = o.clock.after(STALL_MS, () => stalled.abort())
  try {
    const { response } = await request(hub, { url: file.url, method: 'GET', headers, signal })
    const at = beginOf(response, { from, file, part })
    if (at === 'whole') return
    const handle = await open(part, at === 0 ? 'w' : 'a')
    try {
      await writeBody(response, handle, {
        ...o,
        at,
        alive() {
          forget()
          forget = o.clock.after(STALL_MS, () => stalled.abort())
        },
      })
    } finally {
      await handle.close()
    }
  } catch (error) {
    if (o.signal.aborted || error instanceof HubError) throw error
    const what = stalled.signal.aborted ? `nothing came for ${STALL_MS / 1000} s` : 'it broke off'
    throw new HubError(`${file.path}: ${what}`, { retryAfterMs: 0 })
  } finally {
    forget()
    stalled.abort()
  }
}

/** Where in the file the answer's body begins; `whole`: nothing is missing. */
function beginOf(
  response: Response,
  o: { from: number; file: HubFile; part: string },
): number | 'whole' {
  const { from, file, part } = o
  const range = response.headers.get('content-range') ?? ''
  if (response.status === 200) return 0
  if (response.status === 206) {
    if (Number(/^bytes (\d+)-/.exec(range)?.[1] ?? Number.NaN) === from) return from
    truncateSync(part, 0)
    throw new HubError(`${file.path}: another part came than was asked for`, { retryAfterMs: 0 })
  }
  if (response.status === 416 && from > 0) {
    if (Number(/\/(\d+)$/.exec(range)?.[1]) === from) return 'whole'
    truncateSync(part, 0)
    throw new HubError(`${file.path}: there is less of it than we have`, { retryAfterMs: 0 })
  }
  throw refusal(response, file.path)
}

async function writeBody(
  response: Response,
  handle: FileHandle,
  o: FetchFile & { at: number; alive(): void },
): Promise<void> {
  const { file } = o
  let size = o.at
  for await (const chunk of response.body ?? []) {
    o.alive()
    size += chunk.length
    if (file.size !== null && size > file.size)
      throw new HubError(`${file.path}: more came than the ${file.size} bytes that the hub told`)
    await handle.writeFile(chunk)
    o.onProgress(size)
    o.signal.throwIfAborted()
  }
  if (file.size !== null && size < file.size) throw new Error('it ended early')
}

export function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}
