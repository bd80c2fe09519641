import { describe, expect, it } from 'vitest'
import { SimClock } from '../../../test/kit/sim-clock.ts'
import { createIds } from '../../core/ids.ts'
import { Authentication, strongest } from './authenticate.ts'

function setup() {
  const ids = createIds(new SimClock(), (n) => new Uint8Array(n))
  const authentication = new Authentication({ username: 'alice', password: 's3cret' }, ids)
  const request = { method: 'INVITE', uri: 'sip:b@x.test', body: '' }
  return (challenges: { www?: string[]; proxy?: string[] }) =>
    authentication.answer(
      (header) => (header === 'www-authenticate' ? challenges.www : challenges.proxy) ?? [],
      request,
    )
}

const digest = (realm: string, nonce: string, more = ''): string =>
  `Digest realm="${realm}", nonce="${nonce}"${more}`
const SHA256 = ', algorithm=SHA-256, qop="auth"'

describe('Authentication', () => {
  it('takes the strongest that it knows, whatever the order', () => {
    const md5 = digest('r', 'weak', ', algorithm=MD5')
    const sha = digest('r', 'strong', SHA256)
    const unknown = digest('r', 'new', ', algorithm=SHA-3')
    for (const challenges of [
      [md5, sha, unknown],
      [unknown, sha, md5],
    ]) {
      const [line] = setup()({ www: challenges }) ?? []
      expect(line?.name).toBe('Authorization')
      expect(line?.values).toHaveLength(1)
      expect(line?.values[0]).toContain('nonce="strong"')
      expect(line?.values[0]).toContain('algorithm=SHA-256')
    }
  })

  it('keeps its answer to the first proxy when a second asks', () => {
    const answer = setup()
    expect(answer({ proxy: [digest('one', 'n1')] })?.[0]?.values).toHaveLength(1)
    const [line] = answer({ proxy: [digest('two', 'n2')] }) ?? []
    expect(line?.values.map((value) => /realm="(\w+)"/.exec(value)?.[1])).toEqual(['one', 'two'])
  })

  it('answers a registrar behind a proxy: both headers', () => {
    const answer = setup()
    answer({ proxy: [digest('edge', 'n1')] })
    const lines = answer({ www: [digest('home', 'n2')] })
    expect(lines?.map(({ name }) => name)).toEqual(['Authorization', 'Proxy-Authorization'])
  })

  it('gives up when a realm asks again, but not for a stale nonce, and that once', () => {
    const answer = setup()
    expect(answer({ www: [digest('r', 'n1')] })).not.toBeNull()
    expect(answer({ www: [digest('r', 'n2', ', stale=true')] })).not.toBeNull()
    expect(answer({ www: [digest('r', 'n3', ', stale=true')] })).toBeNull()
    const wrong = setup()
    wrong({ www: [digest('r', 'n1')] })
    expect(wrong({ www: [digest('r', 'n2')] })).toBeNull()
  })

  it('has no answer to what it does not know, and to no challenge', () => {
    expect(setup()({ www: ['Basic realm="r"', digest('r', 'n', ', algorithm=SHA-3')] })).toBeNull()
    expect(setup()({})).toBeNull()
  })

  it('answers four realms at most', () => {
    const answer = setup()
    for (let n = 0; n < 4; n++) expect(answer({ proxy: [digest(`r${n}`, 'n')] })).not.toBeNull()
    expect(answer({ proxy: [digest('r5', 'n')] })).toBeNull()
  })
})

describe('strongest', () => {
  it('leaves out a qop that it does not know', () => {
    const known = digest('r', 'a')
    const strange = digest('r', 'b', ', algorithm=SHA-256, qop="auth-conf"')
    expect(strongest([strange, known]).get('r')?.nonce).toBe('a')
  })
})
