import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'

/** The hashes that the hub gives: of a large file its SHA-256, of a small one that of git. */
export type Hash = { kind: 'sha256' | 'git-blob'; hex: string }

/** The hash of an ETag or of `X-Linked-Etag`; null for any other form. */
export function hashOfEtag(etag: string | null): Hash | null {
  const hex = (etag ?? '').replace(/^W\//, '').replaceAll('"', '').toLowerCase()
  if (/^[0-9a-f]{64}$/.test(hex)) return { kind: 'sha256', hex }
  if (/^[0-9a-f]{40}$/.test(hex)) return { kind: 'git-blob', hex }
  return null
}

/** Both hashes of a file in one reading. Throws what the file system throws. */
export async function hashFile(
  path: string,
  signal?: AbortSignal,
): Promise<{ size: number; sha256: string; gitBlob: string }> {
  const { size } = await stat(path)
  const sha256 = createHash('sha256')
  // A blob of git: its kind and length, a zero byte, and the content.
  const blob = createHash('sha1').update(`blob ${size}\0`)
  for await (const chunk of createReadStream(path, signal ? { signal } : {})) {
    sha256.update(chunk as Buffer)
    blob.update(chunk as Buffer)
  }
  return { size, sha256: sha256.digest('hex'), gitBlob: blob.digest('hex') }
}

export function agrees(hash: Hash, found: { sha256: string; gitBlob: string }): boolean {
  return hash.hex === (hash.kind === 'sha256' ? found.sha256 : found.gitBlob)
}
