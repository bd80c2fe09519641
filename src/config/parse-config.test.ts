import { describe, expect, it } from 'vitest'
import { parse, refusal } from '../../test/kit/config.ts'
import type { Flag } from './parse-config.ts'

describe('the order', () => {
  it('is flag, environment, file, default', () => {
    const toml = '[http]\nport = 1'
    const env = { LANDLINE_HTTP_PORT: '2' }
    const flags: Flag[] = [{ key: 'http.port', flag: '--port', text: '3' }]
    expect(parse({ toml }).config.http.port).toBe(1)
    expect(parse({ toml, env }).config.http.port).toBe(2)
    expect(parse({ toml, env, flags }).config.http.port).toBe(3)
  })

  it('counts an empty variable as absent, but for a list', () => {
    const toml = '[http]\nport = 1\n[calls]\nallowed_prefixes = ["+1"]'
    const env = { LANDLINE_HTTP_PORT: '', LANDLINE_CALLS_ALLOWED_PREFIXES: '' }
    const { config } = parse({ toml, env })
    expect(config.http.port).toBe(1)
    expect(config.calls.allowedPrefixes).toEqual([])
  })

  it('resolves a path of the file against the file, one of a variable against the working directory', () => {
    const toml = '[llm]\nscript = "a.txt"'
    expect(parse({ toml }).config.llm.script).toBe('/etc/l/a.txt')
    expect(parse({ toml, env: { LANDLINE_LLM_SCRIPT: 'b.txt' } }).config.llm.script).toBe(
      '/work/b.txt',
    )
  })
})

describe('rates', () => {
  it('are read from the file, and from one variable before it', () => {
    const toml = '[[billing.rates]]\nprefix = "+44"\ncents_per_minute = 3\n'
    expect(parse({ toml }).config.billing.rates).toEqual([{ prefix: '+44', centsPerMinute: 3 }])
    const env = { LANDLINE_BILLING_RATES: '+44=5, +4479=12' }
    expect(parse({ toml, env }).config.billing.rates).toEqual([
      { prefix: '+44', centsPerMinute: 5 },
      { prefix: '+4479', centsPerMinute: 12 },
    ])
  })

  it('refuse what is incomplete or malformed', () => {
    expect(refusal({ toml: '[[billing.rates]]\nprefix = "+44"' })).toBe(
      'billing.rates[0].cents_per_minute is missing (landline.toml:1)',
    )
    expect(refusal({ env: { LANDLINE_BILLING_RATES: '44:5' } })).toMatch(
      /^billing\.rates = "44:5": must be prefixes .* \(LANDLINE_BILLING_RATES\)$/,
    )
  })
})

describe('secrets', () => {
  const toml = '[llm]\napi_key_file = "key.txt"'

  it('are read from the file that <key>_file names, without its last line break', () => {
    expect(parse({ toml, files: { '/etc/l/key.txt': 's3cret\n' } }).config.llm.apiKey).toBe(
      's3cret',
    )
    const env = { LANDLINE_TRUNK_HOST: 'h', LANDLINE_TRUNK_PASSWORD_FILE: '/run/pw' }
    const { config } = parse({
      env: { ...env, LANDLINE_TRUNK_USERNAME: 'u' },
      files: { '/run/pw': 'pw' },
    })
    expect(config.sip.trunks[0]?.password).toBe('pw')
  })

  it('from a variable win over the file of the configuration file', () => {
    expect(parse({ toml, env: { LANDLINE_LLM_API_KEY: 'env' } }).config.llm.apiKey).toBe('env')
  })

  it('are refused when their file is missing, empty, or given twice', () => {
    expect(refusal({ toml })).toBe(
      'llm.api_key_file = "key.txt": cannot be read: there is no such file (landline.toml:2)',
    )
    expect(refusal({ toml, files: { '/etc/l/key.txt': '\n' } })).toMatch('must not be blank')
    expect(refusal({ toml: `${toml}\napi_key = "x"` })).toMatch('are both given')
  })

  it('appear neither among the shown settings nor in an error', () => {
    const canary = 'canary-7f3a'
    const { shown } = parse({
      toml: `[[sip.trunks]]\nhost = "h"\nusername = "u"\npassword = "${canary}"`,
      env: { LANDLINE_LLM_API_KEY: canary },
    })
    expect(JSON.stringify(shown)).not.toContain(canary)
    expect(shown.find(({ key }) => key === 'sip.trunks[0].password')?.value).toBe('[secret]')
    for (const bad of [
      `[llm]\napi_key = ["${canary}"]`,
      `[llm]\napi_kye = "${canary}"`,
      `[[sip.trunks]]\nhost = "a"\npasword = "${canary}"`,
      `[[sip.trunks]]\nhost = "a"\npassword = "${canary}"`,
      `[sip]\ntrunks = [{ password = "${canary}" }, 5]`,
      `[llm]\napi_key = "${canary}" x`,
      `[llm.api_key]\nx = "${canary}"`,
    ])
      expect(refusal({ toml: bad })).not.toContain(canary)
  })
})

describe('what cannot be used', () => {
  it.each([
    [
      '[http]\nport = 70000',
      'http.port = 70000: must be a whole number from 0 to 65535 (landline.toml:2)',
    ],
    ['[http]\nprot = 1', 'http.prot = 1: unknown key; did you mean http.port? (landline.toml:2)'],
    ['\n\nbogus = 1', 'bogus = 1: unknown key (landline.toml:3)'],
    ['[bogus]\nx = 1', 'bogus = { … }: unknown key (landline.toml:1)'],
    ['http = 5', 'http = 5: must be a table: [http] (landline.toml:1)'],
    [
      '[sip]\ntrunks = "x"',
      'sip.trunks = "x": must be a list of tables: [[sip.trunks]] (landline.toml:2)',
    ],
    [
      '[http]\ntls_cert_file = "/c"',
      'http.tls_cert_file = "/c": needs http.tls_key_file beside it (landline.toml:2)',
    ],
    [
      '[http]\ntls_key_file = "/c"',
      'http.tls_key_file = "/c": needs http.tls_cert_file beside it (landline.toml:2)',
    ],
    [
      '[sip]\nrtp_ports = "20000-20018"',
      'sip.rtp_ports = "20000-20018": is 19 ports, but calls.max_concurrent = 10 needs 20 (landline.toml:2)',
    ],
    [
      '[calls]\nmax_concurrent = 101',
      'calls.max_concurrent = 101: needs 202 ports, but sip.rtp_ports = "20000-20199" is 200 (landline.toml:2)',
    ],
    [
      '[sip]\nport = 20002',
      'sip.rtp_ports = "20000-20199": must not contain sip.port = 20002 (default)',
    ],
    [
      '[sip]\nrtp_ports = "80-200"',
      'sip.rtp_ports = "80-200": must be two ports between 1024 and 65535, such as "20000-20199" (landline.toml:2)',
    ],
    [
      '[calls]\nring_timeout = 45',
      'calls.ring_timeout = 45: must be a duration with its unit, such as "50ms", "10s" or "6h" (landline.toml:2)',
    ],
    [
      '[calls]\nring_timeout = "1h"',
      'calls.ring_timeout = "1h": must be a duration from 1s to 10m (landline.toml:2)',
    ],
    [
      '[account]\ntimezone = "Mars/X"',
      'account.timezone = "Mars/X": must be a time zone such as "Europe/Paris" (landline.toml:2)',
    ],
    [
      '[llm]\nengine = "scripted"',
      'llm.engine = "scripted": needs llm.script, a dialogue file (landline.toml:2)',
    ],
    [
      '[llm]\nurl = "http://u:p@h"',
      'llm.url = [hidden]: must not hold a user or password: use api_key (landline.toml:2)',
    ],
    [
      '[llm]\nurl = "ftp://h"',
      'llm.url = "ftp://h": must be a URL that begins with http:// or https:// (landline.toml:2)',
    ],
    [
      '[speech.stt]\nengine = "openai"',
      'speech.stt.engine = "openai": needs speech.stt.url (landline.toml:2)',
    ],
    [
      '[speech.tts]\nengine = "festival"',
      'speech.tts.engine = "festival": must be one of "kokoro", "piper", "flite", "openai" (landline.toml:2)',
    ],
    [
      '[speech.tts]\nengine = "openai"',
      'speech.tts.engine = "openai": needs speech.tts.url (landline.toml:2)',
    ],
    [
      '[log]\nlevel = "loud"',
      'log.level = "loud": must be one of "debug", "info", "warn", "error" (landline.toml:2)',
    ],
    [
      '[http]\nhost = "127.0.0.1:80"',
      'http.host = "127.0.0.1:80": must not hold a port: give it by its own key (landline.toml:2)',
    ],
    [
      '[calls]\nallowed_prefixes = ["1"]',
      'calls.allowed_prefixes = ["1"]: must be + and the first digits of a phone number (landline.toml:2)',
    ],
    ['[account]\nname = "  "', 'account.name = "  ": must not be blank (landline.toml:2)'],
    [
      '[webhooks]\nallowed_hosts = ["http://x"]',
      'webhooks.allowed_hosts = ["http://x"]: must be a host name, an IP address or a block such as "192.0.2.0/24" (landline.toml:2)',
    ],
  ])('%j is refused in one line', (toml, message) => {
    expect(refusal({ toml })).toBe(message)
  })

  it('names the variable or the flag that gave it', () => {
    expect(refusal({ env: { LANDLINE_HTTP_PORT: 'x' } })).toBe(
      'http.port = "x": must be a whole number from 0 to 65535 (LANDLINE_HTTP_PORT)',
    )
    expect(refusal({ flags: [{ key: 'http.port', flag: '--port', text: '-1' }] })).toMatch(
      /\(--port\)$/,
    )
    expect(refusal({ env: { LANDLINE_BILLING_ENABLED: 'yes' } })).toMatch('must be true or false')
  })

  it.each([
    ['x = \n', 1],
    ['[http]\nport = 1\nport = 2\n', 3],
    ['[http]\n\nhost = "abc\n', 3],
    ['[calls]\nallowed_prefixes = [\n"+1",\n[http]\n', 2],
  ])('%j is no TOML: the line is named', (toml, number) => {
    expect(refusal({ toml })).toMatch(new RegExp(`^landline\\.toml:${number}: `))
  })

  it('stays one line whatever the file holds', () => {
    const message = refusal({ toml: '"a\\nb\\u001b[2J" = "c\\nd"' })
    expect([...message].filter((char) => char < ' ')).toEqual([])
    expect(message).toMatch('unknown key')
  })
})

describe('unknown variables', () => {
  it('are one warning each and nothing more', () => {
    const { warnings } = parse({
      env: {
        LANDLINE_HTTP_PROT: '1',
        LANDLINE_XYZ: '1',
        LANDLINE_API_KEY: 'k',
        LANDLINE_CONFIG: 'c',
        OTHER: '1',
      },
    })
    expect(warnings).toEqual([
      'unknown variable LANDLINE_HTTP_PROT; did you mean LANDLINE_HTTP_PORT?',
      'unknown variable LANDLINE_XYZ',
    ])
  })
})
