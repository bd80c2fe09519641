import { abortError } from '../core/abort.ts'
import type { Clock } from '../core/clock.ts'

/** `work`, or an Error after `ms` without it, or AbortError as soon as `signal` aborts, whatever `work` does. */
export function within<T>(
  work: Promise<T>,
  o: { clock: Clock; ms: number; signal: AbortSignal; what: string },
): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (error: unknown): void => {
      forget()
      o.signal.removeEventListener('abort', onAbort)
      reject(error)
    }
    const onAbort = (): void => stop(abortError())
    const forget = o.clock.after(o.ms, () =>
      stop(new Error(`${o.what}: nothing came for ${o.ms / 1000} s`)),
    )
    work.then((value) => {
      forget()
      o.signal.removeEventListener('abort', onAbort)
      resolve(value)
    }, stop)
    if (o.signal.aborted) onAbort()
    else o.signal.addEventListener('abort', onAbort, { once: true })
  })
}

/** The items of `source`, each held to `within`; the source is told to return when it is left early. */
export async function* eachWithin<T>(
  source: AsyncIterable<T>,
  o: { clock: Clock; ms: number; signal: AbortSignal; what: string },
): AsyncGenerator<T> {
  const iterator = source[Symbol.asyncIterator]()
  let exhausted = false
  try {
    for (;;) {
      const next = await within(iterator.next(), o)
      exhausted = next.done === true
      if (next.done) return
      yield next.value
    }
  } finally {
    // Not awaited: a source that hangs would hang us too.
    if (!exhausted) iterator.return?.()?.then(undefined, () => undefined)
  }
}

export interface Gate {
  open(): void
  close(): void
  /** Resolves as soon as it is open. */
  passed(): Promise<void>
}

/** A door that can be waited at; closed at first. */
export function createGate(): Gate {
  let isOpen = false
  let waiting: (() => void)[] = []
  return {
    open(): void {
      isOpen = true
      for (const go of waiting) go()
      waiting = []
    },
    close(): void {
      isOpen = false
    },
    async passed(): Promise<void> {
      while (!isOpen) await new Promise<void>((go) => waiting.push(go))
    },
  }
}
