/** An HTTPS server under a CA of its own: what webhooks are sent to. */
import { createHmac } from 'node:crypto'
import { generate } from 'selfsigned'
import { awaited } from './awaited.ts'

export interface Posted {
  headers: Headers
  /** As it came, byte for byte. */
  body: string
  /** ms since the epoch. */
  at: number
  delivery: string
  event: string
  call: { id: string; status: string; endReason: string | null } & Record<string, unknown>
}

export interface Receiver {
  url: string
  /** PEM of the CA that signed its certificate. */
  ca: string
  /** All that came, in order; refused ones too. */
  readonly posts: readonly Posted[]
  /** What it answers; 204 until it is set. The status may take its time. */
  answer: (post: Posted) => number | Promise<number>
  /** The posts about a call. */
  about(callId: string): Posted[]
  /** The posts about a call once there are `count`. */
  wait(callId: string, o?: { count?: number; withinMs?: number }): Promise<Posted[]>
  stop(): Promise<void>
}

export async function startReceiver(): Promise<Receiver> {
  const { ca, cert, key } = await issueCertificate()
  const posts: Posted[] = []
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    tls: { cert, key },
    idleTimeout: 0,
    async fetch(request) {
      if (request.method !== 'POST') return new Response(null, { status: 405 })
      const post = toPosted(request.headers, await request.text())
      posts.push(post)
      return new Response(null, { status: await receiver.answer(post) })
    },
  })
  const receiver: Receiver = {
    url: `https://127.0.0.1:${server.port}/hooks`,
    ca,
    posts,
    answer: () => 204,
    about: (callId) => posts.filter(({ call }) => call.id === callId),
    async wait(callId, { count = 1, withinMs = 10_000 } = {}) {
      await awaited(
        () => `post ${count} about ${callId}; ${receiver.about(callId).length} came`,
        withinMs,
        () => receiver.about(callId).length >= count,
      )
      return receiver.about(callId)
    },
    stop: () => server.stop(true),
  }
  return receiver
}

/** Whether the signature is right, by nothing but the secret and what the API's page says of it. */
export function isSigned({ headers, body }: Posted, secret: string): boolean {
  const timestamp = headers.get('x-mio-timestamp')
  const wanted = createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')
  return headers.get('x-mio-signature') === wanted
}

function toPosted(headers: Headers, body: string): Posted {
  const { event, call } = JSON.parse(body) as Pick<Posted, 'event' | 'call'>
  const delivery = headers.get('x-mio-delivery') ?? ''
  return { headers, body, at: Date.now(), delivery, event, call }
}

async function issueCertificate(): Promise<{ ca: string; cert: string; key: string }> {
  const authority = await generate([{ name: 'commonName', value: 'Landline test CA' }], {
    keySize: 2048,
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true },
      { name: 'keyUsage', keyCertSign: true },
    ],
  })
  const made = await generate([{ name: 'commonName', value: 'receiver.test' }], {
    keySize: 2048,
    algorithm: 'sha256',
    ca: { key: authority.private, cert: authority.cert },
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
  })
  return { ca: authority.cert, cert: made.cert, key: made.private }
}
