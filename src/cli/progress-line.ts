import { toPlainLine } from './plain-text.ts'
import type { Terminal } from './terminal.ts'

const BAR = 24

export interface ProgressLine {
  show(progress: { path: string; bytes: number; total: number | null }): void
  /** The line is over; what follows stands on its own. */
  end(): void
}

/** How far a download is: a bar that is drawn again and again on a terminal, else one line a file. */
export function createProgressLine(
  terminal: Pick<Terminal, 'err' | 'rewrite'>,
  name: string,
): ProgressLine {
  let last = ''
  let shown = ''
  return {
    show({ path, bytes, total }) {
      if (!terminal.rewrite) {
        if (path !== last) terminal.err(`${name}: ${toPlainLine(path)}`)
        last = path
        return
      }
      const line = `${name} ${barOf(bytes, total)} ${toPlainLine(path)}`
      // A terminal is slower than a network.
      if (line !== shown) terminal.rewrite(line)
      shown = line
    },
    end() {
      if (shown !== '') terminal.rewrite?.('')
    },
  }
}

function barOf(bytes: number, total: number | null): string {
  if (total === null || total === 0) return megabytes(bytes)
  const share = Math.min(1, bytes / total)
  const full = Math.floor(share * BAR)
  const bar = `[${'#'.repeat(full)}${'.'.repeat(BAR - full)}]`
  return `${bar} ${Math.floor(share * 100)} % of ${megabytes(total)}`
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(bytes < 10_000_000 ? 1 : 0)} MB`
}
