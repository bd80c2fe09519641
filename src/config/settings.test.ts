import { describe, expect, it } from 'vitest'
import { parse, refusal } from '../../test/kit/config.ts'
import type { Config } from './config.ts'
import { variableOf } from './setting-paths.ts'
import { SETTINGS, type SettingKey } from './settings.ts'

/** `a.b.c = value` under its table header. */
function line(key: string, toml: string): string {
  const parts = key.split('.')
  const name = parts.pop()
  return parts.length === 0 ? `${name} = ${toml}` : `[${parts.join('.')}]\n${name} = ${toml}`
}

/** For each key: a value other than its default in TOML and as text, where Config has it, and what it is there. */
const SAMPLES: Record<
  SettingKey,
  { toml: string; text: string; at(config: Config): unknown; is: unknown; with?: string }
> = {
  data_dir: { toml: '"/srv/d"', text: '/srv/d', at: (c) => c.dataDir, is: '/srv/d' },
  'http.host': { toml: '"::1"', text: '::1', at: (c) => c.http.host, is: '::1' },
  'http.port': { toml: '0', text: '0', at: (c) => c.http.port, is: 0 },
  'http.rate_limit': { toml: '7', text: '7', at: (c) => c.http.rateLimit, is: 7 },
  'http.tls_cert_file': {
    toml: '"/c.pem"',
    text: '/c.pem',
    at: (c) => c.http.tlsCertFile,
    is: '/c.pem',
    with: 'LANDLINE_HTTP_TLS_KEY_FILE',
  },
  'http.tls_key_file': {
    toml: '"/k.pem"',
    text: '/k.pem',
    at: (c) => c.http.tlsKeyFile,
    is: '/k.pem',
    with: 'LANDLINE_HTTP_TLS_CERT_FILE',
  },
  'account.name': { toml: '"Jane"', text: 'Jane', at: (c) => c.account.name, is: 'Jane' },
  'account.timezone': {
    toml: '"Asia/Tokyo"',
    text: 'Asia/Tokyo',
    at: (c) => c.account.timezone,
    is: 'Asia/Tokyo',
  },
  'billing.enabled': { toml: 'false', text: 'false', at: (c) => c.billing.enabled, is: false },
  'billing.cents_per_minute': {
    toml: '9',
    text: '9',
    at: (c) => c.billing.centsPerMinute,
    is: 9,
  },
  'billing.initial_credit': {
    toml: '0',
    text: '0',
    at: (c) => c.billing.initialCreditCents,
    is: 0,
  },
  'calls.max_concurrent': { toml: '3', text: '3', at: (c) => c.calls.maxConcurrent, is: 3 },
  'calls.max_queued': { toml: '4', text: '4', at: (c) => c.calls.maxQueued, is: 4 },
  'calls.ring_timeout': {
    toml: '"1.5s"',
    text: '1.5s',
    at: (c) => c.calls.ringTimeoutMs,
    is: 1500,
  },
  'calls.per_second': { toml: '0.5', text: '0.5', at: (c) => c.calls.perSecond, is: 0.5 },
  'calls.max_lateness': {
    toml: '"6h"',
    text: '6h',
    at: (c) => c.calls.maxLatenessMs,
    is: 21_600_000,
  },
  'calls.allowed_prefixes': {
    toml: '["+1", "+44"]',
    text: '+1, +44',
    at: (c) => c.calls.allowedPrefixes,
    is: ['+1', '+44'],
  },
  'calls.blocked_prefixes': {
    toml: '[]',
    text: '',
    at: (c) => c.calls.blockedPrefixes,
    is: [],
  },
  'sip.host': { toml: '"10.0.0.1"', text: '10.0.0.1', at: (c) => c.sip.host, is: '10.0.0.1' },
  'sip.port': { toml: '5070', text: '5070', at: (c) => c.sip.port, is: 5070 },
  'sip.public_host': {
    toml: '"pbx.example"',
    text: 'pbx.example',
    at: (c) => c.sip.publicHost,
    is: 'pbx.example',
  },
  'sip.rtp_ports': {
    toml: '"30000-30099"',
    text: '30000-30099',
    at: (c) => c.sip.rtpPorts,
    is: { from: 30_000, to: 30_099 },
  },
  'webhooks.allowed_hosts': {
    toml: '["n8n.lan", "10.0.0.0/8"]',
    text: 'n8n.lan,10.0.0.0/8',
    at: (c) => c.webhooks.allowedHosts,
    is: ['n8n.lan', '10.0.0.0/8'],
  },
  'webhooks.ca_file': {
    toml: '"/ca.pem"',
    text: '/ca.pem',
    at: (c) => c.webhooks.caFile,
    is: '/ca.pem',
  },
  'webhooks.timeout': { toml: '"2s"', text: '2s', at: (c) => c.webhooks.timeoutMs, is: 2000 },
  'webhooks.retry_base': {
    toml: '"50ms"',
    text: '50ms',
    at: (c) => c.webhooks.retryBaseMs,
    is: 50,
  },
  'speech.device': { toml: '"cpu"', text: 'cpu', at: (c) => c.speech.device, is: 'cpu' },
  'speech.stt.engine': {
    toml: '"openai"',
    text: 'openai',
    at: (c) => c.speech.stt.engine,
    is: 'openai',
    with: 'LANDLINE_SPEECH_STT_URL',
  },
  'speech.stt.model': {
    toml: '"demo"',
    text: 'demo',
    at: (c) => c.speech.stt.model,
    is: 'demo',
  },
  'speech.stt.url': {
    toml: '"http://gpu:9000/v1/"',
    text: 'http://gpu:9000/v1',
    at: (c) => c.speech.stt.url,
    is: 'http://gpu:9000',
  },
  'speech.stt.prompt': {
    toml: '"Lindau"',
    text: 'Lindau',
    at: (c) => c.speech.stt.prompt,
    is: 'Lindau',
  },
  'speech.stt.api_key': {
    toml: '"s1"',
    text: 's1',
    at: (c) => c.speech.stt.apiKey,
    is: 's1',
  },
  'speech.tts.engine': {
    toml: '"flite"',
    text: 'flite',
    at: (c) => c.speech.tts.engine,
    is: 'flite',
  },
  'speech.tts.model': { toml: '"k"', text: 'k', at: (c) => c.speech.tts.model, is: 'k' },
  'speech.tts.url': {
    toml: '"http://gpu:8880/v1/"',
    text: 'http://gpu:8880/v1',
    at: (c) => c.speech.tts.url,
    is: 'http://gpu:8880',
  },
  'speech.tts.api_key': { toml: '"s2"', text: 's2', at: (c) => c.speech.tts.apiKey, is: 's2' },
  'speech.tts.voice': { toml: '"slt"', text: 'slt', at: (c) => c.speech.tts.voice, is: 'slt' },
  'llm.engine': { toml: '"openai"', text: 'openai', at: (c) => c.llm.engine, is: 'openai' },
  'llm.model': { toml: '"qwen3"', text: 'qwen3', at: (c) => c.llm.model, is: 'qwen3' },
  'llm.url': {
    toml: '"https://h/x/"',
    text: 'https://h/x',
    at: (c) => c.llm.url,
    is: 'https://h/x',
  },
  'llm.api_key': { toml: '"s2"', text: 's2', at: (c) => c.llm.apiKey, is: 's2' },
  'llm.script': { toml: '"/d.txt"', text: '/d.txt', at: (c) => c.llm.script, is: '/d.txt' },
  'llm.context_tokens': {
    toml: '4096',
    text: '4096',
    at: (c) => c.llm.contextTokens,
    is: 4096,
  },
  'llm.timeout': { toml: '"2m"', text: '2m', at: (c) => c.llm.timeoutMs, is: 120_000 },
  'log.level': { toml: '"debug"', text: 'debug', at: (c) => c.log.level, is: 'debug' },
  'log.format': { toml: '"json"', text: 'json', at: (c) => c.log.format, is: 'json' },
}
const samples = Object.entries(SAMPLES)

/** What a sample needs beside it. */
const beside = (name?: string): Record<string, string> =>
  name ? { [name]: name.endsWith('URL') ? 'http://gpu:9000' : '/other.pem' } : {}

describe('every key', () => {
  it('has a sample here, or has not landed', () => {
    expect(Object.keys(SAMPLES).sort()).toEqual(Object.keys(SETTINGS).sort())
  })

  it.each(samples)('%s is read from the file', (key, sample) => {
    const { config, shown } = parse({ toml: line(key, sample.toml), env: beside(sample.with) })
    expect(sample.at(config)).toEqual(sample.is)
    expect(shown.find((setting) => setting.key === key)?.origin).toMatch(/^landline\.toml:[12]$/)
  })

  it.each(samples)('%s is read from its variable, before the file', (key, sample) => {
    const name = variableOf(key) as string
    expect(name).toBe(`LANDLINE_${key.toUpperCase().replaceAll('.', '_')}`)
    const { config, shown, warnings } = parse({
      env: { [name]: sample.text, ...beside(sample.with) },
    })
    expect(sample.at(config)).toEqual(sample.is)
    expect(shown.find((setting) => setting.key === key)?.origin).toBe(name)
    expect(warnings).toEqual([])
  })

  it.each(samples)('%s of a wrong type is refused by name, with its line', (key, _sample) => {
    expect(refusal({ toml: line(key, '{ a = 1 }') })).toMatch(
      new RegExp(`^${key.replaceAll('.', '\\.')} = .*: .* \\(landline\\.toml:[12]\\)$`),
    )
  })
})

describe('the defaults', () => {
  it('are those of the contract', () => {
    expect(parse({}).config).toEqual({
      dataDir: '/work/./data',
      http: {
        host: '127.0.0.1',
        port: 3000,
        rateLimit: 100,
        tlsCertFile: null,
        tlsKeyFile: null,
      },
      account: { name: 'Owner', timezone: 'Europe/Vienna' },
      billing: { enabled: true, centsPerMinute: 1, initialCreditCents: 500, rates: [] },
      calls: {
        maxConcurrent: 10,
        maxQueued: 100,
        ringTimeoutMs: 45_000,
        perSecond: 5,
        maxLatenessMs: 900_000,
        allowedPrefixes: [],
        blockedPrefixes: ['+1900', '+1976', '+881', '+882', '+883', '+870', '+979'],
      },
      sip: {
        host: '0.0.0.0',
        port: 5060,
        publicHost: null,
        rtpPorts: { from: 20_000, to: 20_199 },
        trunks: [],
      },
      webhooks: { allowedHosts: [], caFile: null, timeoutMs: 10_000, retryBaseMs: 10_000 },
      speech: {
        device: 'auto',
        stt: { engine: 'whisper', model: null, url: null, apiKey: null, prompt: null },
        tts: { engine: null, model: null, voice: null, url: null, apiKey: null },
      },
      llm: {
        engine: 'ollama',
        model: null,
        url: 'http://127.0.0.1:11434',
        apiKey: null,
        script: null,
        contextTokens: null,
        timeoutMs: 20_000,
      },
      log: { level: 'info', format: 'auto' },
    } satisfies Config)
  })

  it('lie beside the file when there is one', () => {
    expect(parse({ toml: '' }).config.dataDir).toBe('/etc/l/./data')
  })
})
