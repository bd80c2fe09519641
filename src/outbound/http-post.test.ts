import { describe, expect, it } from 'vitest'
import { SimClock, settle } from '../../test/kit/sim-clock.ts'
import { createAddressPolicy } from '../webhooks/address-policy.ts'
import type { PostResult } from '../webhooks/ports.ts'
import { createHttpPost, parseRetryAfter } from './http-post.ts'

/** Nothing leaves this machine: each of these posts ends before it would connect. */
function setup(o: { hosts?: Record<string, string[] | 'hangs'>; allowed?: string[] } = {}) {
  const clock = new SimClock()
  const post = createHttpPost({
    clock,
    policy: createAddressPolicy(o.allowed ?? []),
    async resolve(host) {
      const found = o.hosts?.[host]
      if (found === 'hangs') return new Promise<never>(() => {})
      if (!found) throw new Error(`ENOTFOUND ${host}`)
      return found
    },
    userAgent: 'Landline/test',
  })
  const send = (url: string, signal?: AbortSignal) =>
    post({ url, headers: {}, body: '{}', timeoutMs: 10_000, ...(signal ? { signal } : {}) })
  return { clock, send }
}

describe('a POST that may not leave', () => {
  it.each([
    ['a private address', 'https://in.test/', ['10.0.0.1'], 'private'],
    ['one bad address among good ones', 'https://in.test/', ['93.184.215.14', '::1'], 'loopback'],
    ['a metadata address', 'https://in.test/', ['169.254.169.254'], 'metadata'],
    ['an address in the URL', 'https://127.0.0.1/', [], 'loopback'],
    [
      'plain http: to a host that is not listed',
      'http://in.test/',
      ['93.184.215.14'],
      'plain http:',
    ],
    ['a host without an address', 'https://in.test/', [], 'has no address'],
    ['a name that does not resolve', 'https://out.test/', [], 'ENOTFOUND out.test'],
  ])('is a failure that says why: %s', async (_, url, addresses, reason) => {
    const result = await setup({ hosts: { 'in.test': addresses } }).send(url)
    expect(result).toMatchObject({ status: null, responseExcerpt: null, retryAfterMs: null })
    expect(result.error).toContain(reason)
  })

  it('judges a metadata address even when it is listed', async () => {
    const { send } = setup({ allowed: ['169.254.0.0/16'] })
    expect((await send('http://169.254.169.254/')).error).toContain('metadata')
  })
})

describe('a POST whose host does not resolve', () => {
  it('fails when its time is over, which it is told to have taken', async () => {
    const { clock, send } = setup({ hosts: { 'slow.test': 'hangs' } })
    let result: PostResult | undefined
    void send('https://slow.test/').then((ended) => {
      result = ended
    })
    await clock.advance(9999)
    expect(result).toBeUndefined()
    await clock.advance(1)
    expect(result).toMatchObject({ status: null, error: 'no answer in time', durationMs: 10_000 })
  })

  it('is not made longer by a clock that is set meanwhile', async () => {
    const { clock, send } = setup({ hosts: { 'slow.test': 'hangs' } })
    const sent = send('https://slow.test/')
    clock.jump(3_600_000)
    await clock.advance(10_000)
    expect((await sent).durationMs).toBe(10_000)
  })
})

describe('a POST that is broken off', () => {
  it('ends at once without a response', async () => {
    const { clock, send } = setup({ hosts: { 'slow.test': 'hangs' } })
    const stop = new AbortController()
    const sent = send('https://slow.test/', stop.signal)
    await clock.advance(500)
    stop.abort('shutdown')
    expect(await sent).toMatchObject({ status: null, error: 'broken off', durationMs: 500 })
    await settle()
  })

  it('resolves nothing when it was broken off before it began', async () => {
    const { send } = setup({ hosts: {} })
    const result = await send('https://unknown.test/', AbortSignal.abort('shutdown'))
    expect(result).toMatchObject({ status: null, error: 'broken off', durationMs: 0 })
  })
})

describe('Retry-After', () => {
  const now = Date.parse('2026-03-20T18:30:00Z')
  it.each([
    [undefined, null],
    ['120', 120_000],
    [' 5 ', 5000],
    ['0', 0],
    ['Fri, 20 Mar 2026 18:31:00 GMT', 60_000],
    ['Fri, 20 Mar 2026 18:00:00 GMT', 0],
    ['soon', null],
    ['', null],
    ['-1', null],
  ])('%j is %s ms', (value, ms) => {
    expect(parseRetryAfter(value, now)).toBe(ms)
  })
})
