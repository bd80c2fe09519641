import { settle } from './sim-clock.ts'

/** One message of a stream of Server-Sent Events. */
export interface SeenEvent {
  id: number
  type: string
  data: Record<string, unknown>
}

/** A client that reads a stream of events as they come. */
export interface EventWatcher {
  readonly events: readonly SeenEvent[]
  /** The server has closed the stream. */
  readonly closed: boolean
  /** Lets everything arrive that was sent. */
  caughtUp(): Promise<void>
  leave(): Promise<void>
}

/** Reads `response` until it ends. Throws when it is no stream of events. */
export function watchEvents(response: Response): EventWatcher {
  const type = response.headers.get('content-type') ?? ''
  if (!response.body || !type.startsWith('text/event-stream'))
    throw new Error(`no stream of events: ${response.status} ${type}`)
  const events: SeenEvent[] = []
  const reader = response.body.getReader()
  let closed = false
  let reads = 0

  async function read(): Promise<void> {
    const decoder = new TextDecoder()
    let text = ''
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      reads++
      const messages = (text + decoder.decode(next.value, { stream: true })).split('\n\n')
      text = messages.pop() ?? ''
      for (const message of messages) if (!message.startsWith(':')) events.push(parse(message))
    }
    closed = true
  }

  void read()
  return {
    events,
    get closed() {
      return closed
    },
    async caughtUp() {
      for (let quiet = 0, seen = reads; quiet < 10; quiet = seen === reads ? quiet + 1 : 0) {
        seen = reads
        await settle()
      }
    },
    leave: () => reader.cancel(),
  }
}

function parse(message: string): SeenEvent {
  const fields = new Map(
    message.split('\n').map((line) => {
      const at = line.indexOf(': ')
      return [line.slice(0, at), line.slice(at + 2)] as const
    }),
  )
  return {
    id: Number(fields.get('id')),
    type: fields.get('event') ?? '',
    data: JSON.parse(fields.get('data') ?? 'null') as Record<string, unknown>,
  }
}
