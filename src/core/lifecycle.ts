/** Something with a life of its own. `stop` may be called twice and without `start`; it waits for running work. */
export interface Part {
  start(): Promise<void>
  stop(): Promise<void>
}

/** Starts parts in order; when one fails, those already started are stopped again and its error is thrown. */
export async function startAll(parts: readonly Part[]): Promise<void> {
  const started: Part[] = []
  try {
    for (const part of parts) {
      started.push(part)
      await part.start()
    }
  } catch (error) {
    await stopAll(started)
    throw error
  }
}

/** Stops parts in reverse order; all are stopped even when one throws. */
export async function stopAll(parts: readonly Part[]): Promise<void> {
  for (const part of [...parts].reverse()) await part.stop().catch(() => undefined)
}
