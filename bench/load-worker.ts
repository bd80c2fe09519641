/** Asks an HTTP server on a thread of its own, `connections` requests at a time, and tells how long each took. */
import { parentPort } from 'node:worker_threads'

export interface Load {
  url: string
  key: string
  connections: number
  durationMs: number
  /** POST /calls, each to another number; otherwise GET. */
  post: boolean
}

export type LoadResult = { perSecond: number; times: number[] } | { failed: string }

let numbers = 2_000_000

parentPort?.on('message', (load: Load) => {
  run(load).then(
    (result) => parentPort?.postMessage(result),
    (error: unknown) => parentPort?.postMessage({ failed: String(error) }),
  )
})

async function run(load: Load): Promise<LoadResult> {
  const times: number[] = []
  const begun = performance.now()
  const until = begun + load.durationMs
  const ask = async (): Promise<void> => {
    while (performance.now() < until) {
      const sentAt = performance.now()
      const response = await fetch(load.url, request(load))
      const text = await response.text()
      if (response.status !== (load.post ? 201 : 200)) throw new Error(`${response.status} ${text}`)
      times.push(performance.now() - sentAt)
    }
  }
  await Promise.all(Array.from({ length: load.connections }, ask))
  return { perSecond: (times.length * 1000) / (performance.now() - begun), times }
}

/** Calls for tomorrow: accepted and stored, not placed. */
function request(load: Load): RequestInit {
  const headers = { 'x-api-key': load.key, 'content-type': 'application/json' }
  if (!load.post) return { headers }
  const body = {
    phoneNumber: `+1555${numbers++}`,
    instructions: 'Ask when they open and whether there is a table for two at eight.',
    callAt: new Date(Date.now() + 86_400_000).toISOString(),
  }
  return { method: 'POST', headers, body: JSON.stringify(body) }
}
