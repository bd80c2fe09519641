/** A program that writes more than this gets "no space left". */
export const MAX_FILE_BYTES = 32 * 1024 * 1024

/** A file in memory that grows as it is written. */
export class MemoryFile {
  private buffer = new Uint8Array(64 * 1024)
  length = 0

  get bytes(): Uint8Array {
    return this.buffer.subarray(0, this.length)
  }

  /** False when the file would grow too large. */
  write(at: number, data: Uint8Array): boolean {
    const end = at + data.length
    if (end > MAX_FILE_BYTES) return false
    if (end > this.buffer.length) {
      const grown = new Uint8Array(Math.max(end, this.buffer.length * 2))
      grown.set(this.bytes)
      this.buffer = grown
    }
    this.buffer.set(data, at)
    this.length = Math.max(this.length, end)
    return true
  }
}
