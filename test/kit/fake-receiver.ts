import { createHmac } from 'node:crypto'
import { type Clock, sleep } from '../../src/core/clock.ts'
import type { Post, PostResult } from '../../src/webhooks/ports.ts'

/** One POST as it left. */
export interface Posted {
  url: string
  headers: Record<string, string>
  /** As it was sent, byte for byte. */
  body: string
  /** When it left. */
  at: number
  event: string
  delivery: string
  timestamp: string
  call: { id: string; status: string } & Record<string, unknown>
}

/** What a receiver does with one; a number is its status after 20 ms, `hangs` lets the time run out. */
export type Answer = number | 'hangs' | { status: number; retryAfterMs?: number; ms?: number }

export interface FakeReceiver {
  /** Everything that was posted, in order. */
  readonly posts: readonly Posted[]
  /** What is answered; 204 until it is set. */
  answer: (post: Posted) => Answer
  /** How many wait for an answer now, and how many at most did at once. */
  readonly open: number
  readonly mostOpen: number
  /** The posts to a URL. */
  to(url: string): Posted[]
  /** A client whose requests take time on `clock`. */
  connect(clock: Clock): Post
}

/** All servers that webhooks are sent to. */
export function createFakeReceiver(): FakeReceiver {
  const posts: Posted[] = []
  let open = 0
  let mostOpen = 0
  const receiver: FakeReceiver = {
    posts,
    answer: () => 204,
    get open() {
      return open
    },
    get mostOpen() {
      return mostOpen
    },
    to: (url) => posts.filter((post) => post.url === url),
    connect: (clock) => async (o) => {
      const post = toPosted(o, clock.now())
      posts.push(post)
      const answer = receiver.answer(post)
      mostOpen = Math.max(mostOpen, ++open)
      try {
        return await reply(clock, answer, o)
      } finally {
        open--
      }
    },
  }
  return receiver
}

/** Whether the reference's own way of checking takes it: HMAC over `{timestamp}.{body}` by the whole secret. */
export function isSignedBy(secret: string, post: Posted, header = 'X-Mio-Signature'): boolean {
  const expected = createHmac('sha256', secret).update(`${post.timestamp}.${post.body}`)
  return post.headers[header] === expected.digest('hex')
}

async function reply(
  clock: Clock,
  answer: Answer,
  { timeoutMs, signal }: Parameters<Post>[0],
): Promise<PostResult> {
  const startedAt = clock.now()
  const { status: planned, ms = 20, retryAfterMs = null } = toAnswer(answer)
  await sleep(clock, planned === null ? timeoutMs : ms, signal)
  const status = signal?.aborted ? null : planned
  const error =
    status === null
      ? 'no answer in time'
      : status >= 200 && status < 300
        ? null
        : `the receiver answered ${status}`
  const durationMs = Math.max(0, clock.now() - startedAt)
  return { status, error, durationMs, responseExcerpt: null, retryAfterMs }
}

function toAnswer(answer: Answer): { status: number | null; retryAfterMs?: number; ms?: number } {
  if (answer === 'hangs') return { status: null }
  return typeof answer === 'number' ? { status: answer } : answer
}

function toPosted(o: Parameters<Post>[0], at: number): Posted {
  const parsed = JSON.parse(o.body) as Pick<Posted, 'event' | 'call'>
  const { headers } = o
  return {
    ...{ url: o.url, headers, body: o.body, at, event: parsed.event, call: parsed.call },
    delivery: headers['X-Mio-Delivery'] ?? '',
    timestamp: headers['X-Mio-Timestamp'] ?? '',
  }
}
