import type { Terminal } from './terminal.ts'

/** Runs `body` with a signal that the first SIGTERM or Ctrl-C aborts; the second ends the process with 1. */
export async function interruptible<T>(
  terminal: Pick<Terminal, 'onSignal' | 'exit'>,
  body: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const interrupt = new AbortController()
  const forget = terminal.onSignal(() => {
    if (interrupt.signal.aborted) terminal.exit(1)
    else interrupt.abort()
  })
  try {
    return await body(interrupt.signal)
  } finally {
    forget()
  }
}
