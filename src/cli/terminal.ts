/** What a command sees of the process it runs in. */
export interface Terminal {
  /** A line for stdout. */
  out(line: string): void
  /** A line for stderr. */
  err(line: string): void
  env: Readonly<Record<string, string | undefined>>
  /** The working directory. */
  directory: string
  fetch: typeof fetch
  /** Calls `on` for each SIGTERM and SIGINT, in place of the process's end. Returns a function that forgets it. */
  onSignal(on: () => void): () => void
  /** Calls `on` for what nothing caught, in place of the process's end. */
  onFault(on: (error: unknown) => void): void
  /** Resolves after `ms`. */
  sleep(ms: number): Promise<void>
  /** Ends the process once everything is written. */
  exit(code: number): void
}

export function systemTerminal(): Terminal {
  // A reader that went away (`landline keys list | head -1`) is no error.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
  // Of a long text to a pipe only the callback of its own write says that the reader has it.
  let unwritten = 0
  let leave = (): void => undefined
  const write = (stream: NodeJS.WriteStream, line: string): void => {
    unwritten++
    stream.write(`${line}\n`, () => {
      unwritten--
      if (unwritten === 0) leave()
    })
  }
  return {
    out: (line) => write(process.stdout, line),
    err: (line) => write(process.stderr, line),
    env: process.env,
    directory: process.cwd(),
    fetch: globalThis.fetch,
    onSignal(on) {
      process.on('SIGTERM', on)
      process.on('SIGINT', on)
      return () => {
        process.off('SIGTERM', on)
        process.off('SIGINT', on)
      }
    },
    onFault(on) {
      process.on('uncaughtException', on)
      process.on('unhandledRejection', on)
    },
    sleep: (ms) => new Promise((done) => void setTimeout(done, ms).unref()),
    exit(code) {
      leave = () => process.exit(code)
      if (unwritten === 0) leave()
    },
  }
}
