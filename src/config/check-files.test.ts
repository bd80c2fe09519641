import { describe, expect, it } from 'vitest'
import { parse } from '../../test/kit/config.ts'
import { checkFiles } from './check-files.ts'

const CERTIFICATE = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'
const KEY = '-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n'

function check(toml: string, files: Record<string, string>): string {
  try {
    checkFiles(parse({ toml }), (path) => {
      const text = files[path]
      if (text === undefined) throw new Error('there is no such file')
      return text
    })
    return 'fine'
  } catch (error) {
    return (error as Error).message
  }
}

describe('files that the configuration names', () => {
  it('may be certificates, a key and a dialogue', () => {
    const toml = `[http]
tls_cert_file = "/c"
tls_key_file = "/k"
[webhooks]
ca_file = "/c"
[llm]
engine = "scripted"
script = "/d"`
    expect(check(toml, { '/c': CERTIFICATE, '/k': KEY, '/d': 'default\n  say Yes.' })).toBe('fine')
  })

  it.each([
    [
      '[webhooks]\nca_file = "/no"',
      'webhooks.ca_file = "/no": cannot be read: there is no such file (landline.toml:2)',
    ],
    [
      '[webhooks]\nca_file = "/k"',
      'webhooks.ca_file = "/k": is no certificate in PEM form (landline.toml:2)',
    ],
    [
      '[http]\ntls_cert_file = "/c"\ntls_key_file = "/c"',
      'http.tls_key_file = "/c": is no private key in PEM form (landline.toml:3)',
    ],
    [
      '[llm]\nengine = "scripted"\nscript = "/no"',
      'llm.script = "/no": cannot be read: there is no such file (landline.toml:3)',
    ],
  ])('are refused with key, value and line: %j', (toml, reason) => {
    expect(check(toml, { '/c': CERTIFICATE, '/k': KEY })).toBe(reason)
  })

  it('are not looked at where nothing uses them', () => {
    expect(check('[llm]\nscript = "/no"', {})).toBe('fine')
  })
})
