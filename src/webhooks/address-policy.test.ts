import { describe, expect, it } from 'vitest'
import { SimClock } from '../../test/kit/sim-clock.ts'
import { checkWebhookUrl, createAddressPolicy } from './address-policy.ts'

function setup(o: { allowed?: string[]; hosts?: Record<string, string[]> } = {}) {
  const clock = new SimClock()
  const policy = createAddressPolicy(o.allowed ?? [])
  const resolve = async (host: string) => {
    if (host.endsWith('.slow')) return new Promise<never>(() => {})
    const found = o.hosts?.[host]
    if (!found) throw new Error('ENOTFOUND')
    return found
  }
  return {
    clock,
    policy,
    check: (url: string) =>
      checkWebhookUrl(url, { clock, policy, resolve }).then(() => 'ok', String),
  }
}

describe('where a webhook may go', () => {
  it('does not wait for a resolver that hangs: it is judged when something is sent', async () => {
    const { clock, check } = setup()
    let checked = ''
    void check('https://hooks.slow/').then((result) => {
      checked = result
    })
    void check('http://hooks.slow/').then((result) => {
      checked += result
    })
    await clock.advance(2999)
    expect(checked).toBe('')
    await clock.advance(1)
    expect(checked).toMatch(/^ok.*must be https:/)
  })

  it.each([
    ['http://example.com/', 'must be https:'],
    ['ftp://example.com/', 'must be an https: URL'],
    ['example.com', 'must be an https: URL'],
    ['', 'must be an https: URL'],
    ['https:///example.com', 'must be an https: URL'],
    ['https://example.com:0/', 'port 0'],
    ['https://localhost./', 'loopback'],
    ['https://a.localhost/', 'loopback'],
    ['https://user:pw@example.com/', 'user name or password'],
    ['https://example.com/#x', 'fragment'],
    ['https://example.com/#', 'fragment'],
    ['https://example.com/a b', 'spaces or control'],
    ['https://example.com/\r\nX: y', 'spaces or control'],
    [`https://example.com/${'x'.repeat(2048)}`, '2048'],
  ])('refuses %s', async (url, reason) => {
    expect(await setup().check(url)).toContain(reason)
  })

  it.each([
    'https://127.0.0.1/',
    'https://127.1/',
    'https://2130706433/',
    'https://0x7f.1/',
    'https://0/',
    'https://10.1.2.3/',
    'https://172.16.0.1/',
    'https://192.168.1.1/',
    'https://100.64.0.1/',
    'https://169.254.1.1/',
    'https://224.0.0.1/',
    'https://[::1]/',
    'https://[::ffff:10.0.0.1]/',
    'https://[fd00::1]/',
    'https://[fe80::1]/',
    'https://[fec0::1]/',
    'https://[::7f00:1]/',
    'https://[::10.0.0.1]/',
    'https://[4000::1]/',
    'https://[64:ff9b::7f00:1]/',
  ])('refuses the special address %s and names the setting', async (url) => {
    expect(await setup().check(url)).toContain('webhooks.allowed_hosts')
  })

  it('judges what a host name resolves to, all of it', async () => {
    const { check } = setup({
      hosts: { 'in.test': ['10.0.0.1'], 'mixed.test': ['93.184.216.34', '127.0.0.1'] },
    })
    expect(await check('https://in.test/')).toContain('10.0.0.1')
    expect(await check('https://mixed.test/')).toContain('127.0.0.1')
    expect(await check('https://not-yet.test/')).toBe('ok')
  })

  it('opens listed names, addresses and ranges, for plain http: too', async () => {
    const { check } = setup({
      allowed: ['hooks.lan', '127.0.0.1', '10.0.0.0/8'],
      hosts: { 'hooks.lan': ['192.168.1.9'], 'other.lan': ['10.2.3.4'], 'pub.test': ['8.8.8.8'] },
    })
    expect(await check('http://hooks.lan/')).toBe('ok')
    expect(await check('http://127.0.0.1:8080/')).toBe('ok')
    expect(await check('http://other.lan/')).toBe('ok')
    expect(await check('http://pub.test/')).toContain('must be https:')
  })

  it('refuses cloud metadata addresses whatever is listed', async () => {
    const { check } = setup({
      allowed: ['169.254.0.0/16', '169.254.169.254', 'metadata.test', 'fd00::/8'],
      hosts: { 'metadata.test': ['169.254.169.254'] },
    })
    for (const url of [
      'http://169.254.169.254/latest',
      'http://metadata.test/',
      'http://[fd00:ec2::254]/',
      'http://[::ffff:169.254.169.254]/',
    ])
      expect(await check(url)).toContain('metadata')
  })
})
