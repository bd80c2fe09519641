import { describe, expect, it } from 'vitest'
import { SimClock } from '../../../test/kit/sim-clock.ts'
import { createIds, type Ids } from '../../core/ids.ts'
import { byteString, Digest } from './digest.ts'

function idsWith(cnonce: string): Ids {
  return { ...createIds(new SimClock(), (n) => new Uint8Array(n)), hex: () => cnonce }
}

function setup(o: { password?: string; cnonce?: string } = {}): Digest {
  const credentials = { username: 'Mufasa', password: o.password ?? 'Circle Of Life' }
  return new Digest(credentials, idsWith(o.cnonce ?? '0a4f113b'))
}

const GET = { method: 'GET', uri: '/dir/index.html', body: '' }
/** RFC 2617 §3.5. */
const RFC2617 = {
  realm: 'testrealm@host.com',
  nonce: 'dcd98b7102dd2f0e8b11d0f600bfb0c093',
  opaque: 'x',
}
/** RFC 7616 §3.9.1. */
const RFC7616 = {
  realm: 'http-auth@example.org',
  nonce: '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v',
  qop: ['auth', 'auth-int'],
}
const CNONCE7616 = 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ'

describe('Digest', () => {
  it('answers with qop as RFC 2617 §3.5 does', () => {
    const answer = setup().answer({ ...RFC2617, qop: ['auth'] }, GET)
    expect(answer).toContain('response="6629fae49393a05397450978507c4ef1"')
    expect(answer).toContain('qop=auth, nc=00000001, cnonce="0a4f113b"')
    expect(answer).toContain('opaque="x"')
  })

  it('answers without qop as RFC 2069 does', () => {
    const answer = setup().answer(RFC2617, GET)
    expect(answer).toContain('response="670fd8c2df070c60b045671b8b24ff02"')
    expect(answer).not.toMatch(/qop|cnonce|nc=/)
  })

  it.each([
    ['MD5', '8ca523f5e9506fed4657c9700eebdbec'],
    ['SHA-256', '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1'],
  ])('answers with %s as RFC 7616 §3.9.1 does', (algorithm, response) => {
    const digest = setup({ password: 'Circle of Life', cnonce: CNONCE7616 })
    const answer = digest.answer({ ...RFC7616, algorithm }, GET)
    expect(answer).toContain(`response="${response}"`)
    expect(answer).toContain(`algorithm=${algorithm}`)
  })

  it('signs the body when only auth-int is offered', () => {
    const challenge = { ...RFC2617, qop: ['auth-int'] }
    const one = setup().answer(challenge, { ...GET, body: 'a' })
    const two = setup().answer(challenge, { ...GET, body: 'b' })
    expect(one).toContain('qop=auth-int')
    expect(one).not.toBe(two)
  })

  it('answers a nonce once: asked again, the password is wrong', () => {
    const digest = setup()
    expect(digest.answer(RFC2617, GET)).not.toBeNull()
    expect(digest.answer(RFC2617, GET)).toBeNull()
    expect(digest.answer({ ...RFC2617, stale: true }, GET)).toBeNull()
  })

  it('answers a new nonce in place of a stale one, and no third', () => {
    const digest = setup()
    expect(digest.answer({ ...RFC2617, nonce: 'a' }, GET)).not.toBeNull()
    expect(digest.answer({ ...RFC2617, nonce: 'b' }, GET)).toBeNull()
    expect(digest.answer({ ...RFC2617, nonce: 'c', stale: true }, GET)).not.toBeNull()
    expect(digest.answer({ ...RFC2617, nonce: 'd', stale: true }, GET)).toBeNull()
  })

  it.each([
    ['an unknown algorithm', { ...RFC2617, algorithm: 'ROT13' }],
    ['an unknown qop', { ...RFC2617, qop: ['auth-conf'] }],
    ['no realm', { nonce: 'x' }],
    ['no nonce', { realm: 'x' }],
  ])('cannot answer %s', (_what, challenge) => {
    expect(setup().answer(challenge, GET)).toBeNull()
  })

  it('escapes quotes in the user name and writes other letters as UTF-8', () => {
    const digest = new Digest({ username: 'a"b', password: 'x' }, idsWith('c'))
    expect(digest.answer(RFC2617, GET)).toContain('username="a\\"b"')
    expect(byteString('é')).toBe('\u00c3\u00a9')
  })
})
