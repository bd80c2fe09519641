/** Every key of `landline.toml`: one table for the file, the environment, the flags and `config show`. */
import {
  addressBlock,
  allowedHost,
  baseUrl,
  bool,
  choice,
  duration,
  host,
  integer,
  type Kind,
  list,
  number,
  optional,
  phoneNumber,
  phonePrefix,
  portRange,
  text,
  timezone,
} from './kinds.ts'

export interface Setting<T> {
  kind: Kind<T>
  default: T
  /** Never shown; may be given as the name of a file by `<key>_file`. */
  secret?: true
  /** The name of a file: relative to the configuration file that names it. */
  path?: true
  /** Belongs to the contract, but its behaviour has not landed: any value is refused. */
  notYet?: true
}

type Extras = Omit<Setting<unknown>, 'kind' | 'default'>

const setting = <T>(kind: Kind<T>, fallback: NoInfer<T>, extras: Extras = {}): Setting<T> => ({
  kind,
  default: fallback,
  ...extras,
})
const none = <T>(kind: Kind<T>, extras: Extras = {}): Setting<T | null> =>
  setting(optional(kind), null, extras)

const path = { path: true } as const
const secret = { secret: true } as const

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
/** More cents than any account holds, few enough that sums stay exact. */
const MOST_CENTS = 1_000_000_000

export const SETTINGS = {
  data_dir: setting(text(), './data', path),

  'http.host': setting(host(), '127.0.0.1'),
  'http.port': setting(integer(0, 65_535), 3000),
  'http.rate_limit': setting(integer(1, 1_000_000), 100),
  'http.tls_cert_file': none(text(), path),
  'http.tls_key_file': none(text(), path),

  'account.name': setting(text(), 'Owner'),
  /** The default is the system's; `parseConfig` is told which that is. */
  'account.timezone': none(timezone()),

  'billing.enabled': setting(bool(), true),
  'billing.cents_per_minute': setting(integer(0, MOST_CENTS), 1),
  'billing.initial_credit': setting(integer(0, MOST_CENTS), 500),

  'calls.max_concurrent': setting(integer(1, 1000), 10),
  'calls.max_queued': setting(integer(0, 1_000_000), 100),
  'calls.ring_timeout': setting(duration(SECOND, 10 * MINUTE), 45 * SECOND),
  'calls.per_second': setting(number({ min: 0.1, max: 1000, whole: false }), 5),
  'calls.max_lateness': setting(duration(0, 30 * DAY), 15 * MINUTE),
  'calls.allowed_prefixes': setting(list(phonePrefix()), []),
  'calls.blocked_prefixes': setting(list(phonePrefix()), [
    '+1900',
    '+1976',
    '+881',
    '+882',
    '+883',
    '+870',
    '+979',
  ]),

  'sip.host': setting(host(), '0.0.0.0'),
  'sip.port': setting(integer(0, 65_535), 5060),
  'sip.public_host': none(host()),
  'sip.rtp_ports': setting(portRange(), { from: 20_000, to: 20_199 }),

  'webhooks.allowed_hosts': setting(list(allowedHost()), []),
  'webhooks.ca_file': none(text(), path),
  'webhooks.timeout': setting(duration(50, 5 * MINUTE), 10 * SECOND),
  'webhooks.retry_base': setting(duration(10, HOUR), 10 * SECOND),

  'speech.device': setting(choice(['auto', 'cpu', 'cuda']), 'auto'),
  'speech.stt.engine': setting(choice(['whisper', 'openai']), 'whisper'),
  'speech.stt.model': none(text()),
  'speech.stt.url': none(baseUrl()),
  'speech.stt.api_key': none(text(), secret),
  'speech.stt.prompt': none(text()),
  /** The default is the best installed, else Flite. */
  'speech.tts.engine': none(choice(['kokoro', 'piper', 'flite', 'openai'])),
  'speech.tts.model': none(text()),
  'speech.tts.voice': none(text()),
  'speech.tts.url': none(baseUrl()),
  'speech.tts.api_key': none(text(), secret),

  'llm.engine': setting(choice(['ollama', 'openai', 'scripted']), 'ollama'),
  'llm.model': none(text()),
  'llm.url': setting(baseUrl(), 'http://127.0.0.1:11434'),
  'llm.api_key': none(text(), secret),
  'llm.script': none(text(), path),
  /** None: 8192 for `ollama`, no limit for `openai`. */
  'llm.context_tokens': none(integer(2048, 1_048_576)),
  'llm.timeout': setting(duration(100, 10 * MINUTE), 20 * SECOND),

  'log.level': setting(choice(['debug', 'info', 'warn', 'error']), 'info'),
  /** `auto`: pretty on a terminal, else JSON. */
  'log.format': setting(choice(['auto', 'pretty', 'json']), 'auto'),
}

/** The keys of one `[[sip.trunks]]`. */
export const TRUNK_SETTINGS = {
  /** The default is `main` for the first and `trunk2`, `trunk3` … for the others. */
  name: none(text(checkTrunkName)),
  host: none(host()),
  /** The default is what SRV records say, else 5060, for TLS 5061. */
  port: none(integer(1, 65_535)),
  /** The default is `host`. */
  domain: none(host()),
  /** The default is what the host publishes by NAPTR and SRV, else UDP. */
  transport: none(choice(['udp', 'tcp', 'tls'])),
  username: none(text()),
  password: none(text(), secret),
  register: setting(bool(), false),
  expires: setting(duration(MINUTE, DAY), 10 * MINUTE),
  outbound_proxy: none(text(checkProxy)),
  allowed_sources: setting(list(addressBlock()), []),
  numbers: setting(list(phoneNumber()), []),
  caller_id: setting(choice(['from', 'pai', 'ppi']), 'from'),
  number_format: setting(choice(['+e164', 'e164', 'national']), '+e164'),
  codecs: setting(list(choice(['PCMU', 'PCMA', 'G722', 'opus'], ['G729'])), ['PCMU', 'PCMA']),
  srtp: setting(choice(['off', 'optional', 'required']), 'off'),
  dtmf: setting(choice(['rfc4733', 'info', 'inband']), 'rfc4733'),
  max_calls: none(integer(1, 1000)),
  per_second: none(number({ min: 0.1, max: 1000, whole: false })),
  ca_file: none(text(), path),
  verify: setting(bool(), true),
}

/** The keys of one `[[billing.rates]]`; both are required. */
export const RATE_SETTINGS = {
  prefix: none(phonePrefix()),
  cents_per_minute: none(integer(0, MOST_CENTS)),
}

export type SettingKey = keyof typeof SETTINGS

/** What a table of settings holds once read. */
export type Values<Table extends Record<string, Setting<unknown>>> = {
  [Key in keyof Table]: Table[Key] extends Setting<infer T> ? T : never
}

function checkTrunkName(value: string): string | undefined {
  return /^[\w.-]{1,64}$/.test(value) ? undefined : 'must be 1 to 64 letters, digits, ".", "_", "-"'
}

function checkProxy(value: string): string | undefined {
  return /^[a-z0-9._-]+(:\d{1,5})?$/i.test(value) || /^\[[0-9a-f:]+\](:\d{1,5})?$/i.test(value)
    ? undefined
    : 'must be a host or "host:port"'
}
