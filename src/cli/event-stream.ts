/** One Server-Sent Event, as the HTML standard's §9.2.6 dispatches it. */
export interface StreamEvent {
  id: string | null
  event: string
  data: string
}

/** More than the longest event that the API sends; what is longer is no stream of ours. */
const LONGEST_EVENT = 4 * 1024 * 1024

/** The events of a body of type text/event-stream, until it ends. Throws when an event is too long. */
export async function* readEventStream(
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<StreamEvent> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const bytes of body) {
    rest += decoder.decode(bytes, { stream: true })
    if (rest.length > LONGEST_EVENT) throw new Error('reading the events: one is too long')
    // A chunk may end between CR and LF: the break is then seen whole with the next chunk.
    const blocks = rest.split(/\r\n\r\n|\n\n|\r\r(?!\n)/)
    rest = blocks.pop() ?? ''
    for (const block of blocks) {
      const event = parseBlock(block)
      if (event) yield event
    }
  }
}

function parseBlock(block: string): StreamEvent | undefined {
  let id: string | null = null
  let event = 'message'
  const data: string[] = []
  for (const line of block.split(/\r\n|\n|\r/)) {
    const [, field = '', value = ''] = /^([^:]*):? ?(.*)$/s.exec(line) ?? []
    if (field === 'id') id = value
    else if (field === 'event') event = value
    else if (field === 'data') data.push(value)
  }
  return data.length === 0 ? undefined : { id, event, data: data.join('\n') }
}
