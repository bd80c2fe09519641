import { wrongSetting } from './config-error.ts'
import type { ParsedConfig } from './parse-config.ts'

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+-----END CERTIFICATE-----/
const PRIVATE_KEY = /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----[\s\S]+-----END/

/**
 * Looks at the files that the configuration names, before anything is begun: each can be read and holds what it should.
 * `readText` throws with what completes "cannot be read: …". Throws ConfigError.
 */
export function checkFiles(
  { config, shown }: ParsedConfig,
  readText: (path: string) => string,
): void {
  const { http, webhooks, llm } = config

  function check(
    key: string,
    path: string | null,
    looksRight: (text: string) => string | null,
  ): void {
    if (path === null) return
    const where = shown.find((setting) => setting.key === key)?.origin ?? 'configuration'
    const fail = (wrong: string): Error =>
      wrongSetting({ key, value: JSON.stringify(path), wrong, where })
    let text: string
    try {
      text = readText(path)
    } catch (error) {
      throw fail(`cannot be read: ${error instanceof Error ? error.message : error}`)
    }
    const wrong = looksRight(text)
    if (wrong !== null) throw fail(wrong)
  }

  const holds = (pattern: RegExp, what: string) => (text: string) =>
    pattern.test(text) ? null : `is no ${what} in PEM form`
  check('http.tls_cert_file', http.tlsCertFile, holds(CERTIFICATE, 'certificate'))
  check('http.tls_key_file', http.tlsKeyFile, holds(PRIVATE_KEY, 'private key'))
  check('webhooks.ca_file', webhooks.caFile, holds(CERTIFICATE, 'certificate'))
  if (llm.engine === 'scripted') check('llm.script', llm.script, () => null)
}
