/** A stream sent a line that is longer than anything a model says. */
export class LineTooLong extends Error {
  constructor(maxBytes: number) {
    super(`it sent a line of more than ${maxBytes} bytes`)
    this.name = 'LineTooLong'
  }
}

/** The lines of a body as they come, without their ends; empty ones left out. Throws LineTooLong. */
export async function* readLines(
  body: AsyncIterable<Uint8Array>,
  maxBytes: number,
): AsyncIterable<string> {
  const decoder = new TextDecoder()
  let pending = ''
  for await (const chunk of body) {
    pending += decoder.decode(chunk, { stream: true })
    const lines = pending.split(/\r?\n/)
    pending = lines.pop() ?? ''
    if (pending.length > maxBytes) throw new LineTooLong(maxBytes)
    for (const line of lines) if (line !== '') yield line
  }
  pending += decoder.decode()
  if (pending !== '') yield pending
}
