/** Everything that can be configured, checked and complete. Durations are ms, money is cents, paths are absolute. */
import type { PortRange } from './kinds.ts'
import type { SETTINGS, TRUNK_SETTINGS, Values } from './settings.ts'

type Read = Values<typeof SETTINGS>
type ReadTrunk = Values<typeof TRUNK_SETTINGS>

export interface Config {
  dataDir: string
  http: {
    host: string
    /** 0 takes a free one. */
    port: number
    /** Requests per second and key. */
    rateLimit: number
    tlsCertFile: string | null
    tlsKeyFile: string | null
  }
  account: { name: string; timezone: string }
  billing: {
    enabled: boolean
    centsPerMinute: number
    initialCreditCents: number
    rates: RateConfig[]
  }
  calls: {
    maxConcurrent: number
    maxQueued: number
    ringTimeoutMs: number
    /** INVITEs per second. */
    perSecond: number
    maxLatenessMs: number
    /** Empty: all. */
    allowedPrefixes: string[]
    blockedPrefixes: string[]
  }
  sip: {
    host: string
    port: number
    /** What signalling and sound advertise; null: learned. */
    publicHost: string | null
    rtpPorts: PortRange
    /** In order of preference. */
    trunks: TrunkConfig[]
  }
  webhooks: {
    allowedHosts: string[]
    caFile: string | null
    timeoutMs: number
    retryBaseMs: number
  }
  speech: {
    device: Read['speech.device']
    stt: {
      engine: Read['speech.stt.engine']
      /** Null: the best installed. */
      model: string | null
      url: string | null
      apiKey: string | null
      /** Words to be expected. */
      prompt: string | null
    }
    tts: {
      /** Null: the best installed. */
      engine: Read['speech.tts.engine']
      /** A directory of models, or the server's name of one; null: any. */
      model: string | null
      /** Null: the engine's first. */
      voice: string | null
      url: string | null
      apiKey: string | null
    }
  }
  llm: {
    engine: Read['llm.engine']
    model: string | null
    url: string
    apiKey: string | null
    /** The dialogue file of the `scripted` engine. */
    script: string | null
    /** Tokens of a request and its reply; null: the engine's own. */
    contextTokens: number | null
    timeoutMs: number
  }
  log: { level: Read['log.level']; format: Read['log.format'] }
}

export interface TrunkConfig {
  name: string
  host: string
  /** Null: by SRV, else the transport's own. */
  port: number | null
  /** Null: `host`. */
  domain: string | null
  /** Null: by NAPTR and SRV, else UDP. */
  transport: ReadTrunk['transport']
  username: string | null
  password: string | null
  register: boolean
  expiresSeconds: number
  /** `host` or `host:port`. */
  outboundProxy: string | null
  /** Addresses and CIDR blocks that may signal, beside the host's own addresses. */
  allowedSources: string[]
  /** The first is the default caller. */
  numbers: string[]
  callerId: ReadTrunk['caller_id']
  numberFormat: ReadTrunk['number_format']
  codecs: ReadTrunk['codecs']
  srtp: ReadTrunk['srtp']
  dtmf: ReadTrunk['dtmf']
  /** Null: no bound of its own. */
  maxCalls: number | null
  /** INVITEs a second; null: no pace of its own. */
  perSecond: number | null
  caFile: string | null
  verify: boolean
}

/** What numbers that begin with `prefix` cost; the longest prefix wins. */
export interface RateConfig {
  prefix: string
  centsPerMinute: number
}

export function buildConfig(
  v: Read,
  o: { trunks: TrunkConfig[]; rates: RateConfig[]; systemTimezone: string },
): Config {
  return {
    dataDir: v.data_dir,
    http: {
      host: v['http.host'],
      port: v['http.port'],
      rateLimit: v['http.rate_limit'],
      tlsCertFile: v['http.tls_cert_file'],
      tlsKeyFile: v['http.tls_key_file'],
    },
    account: {
      name: v['account.name'],
      timezone: v['account.timezone'] ?? o.systemTimezone,
    },
    billing: {
      enabled: v['billing.enabled'],
      centsPerMinute: v['billing.cents_per_minute'],
      initialCreditCents: v['billing.initial_credit'],
      rates: o.rates,
    },
    calls: {
      maxConcurrent: v['calls.max_concurrent'],
      maxQueued: v['calls.max_queued'],
      ringTimeoutMs: v['calls.ring_timeout'],
      perSecond: v['calls.per_second'],
      maxLatenessMs: v['calls.max_lateness'],
      allowedPrefixes: v['calls.allowed_prefixes'],
      blockedPrefixes: v['calls.blocked_prefixes'],
    },
    sip: {
      host: v['sip.host'],
      port: v['sip.port'],
      publicHost: v['sip.public_host'],
      rtpPorts: v['sip.rtp_ports'],
      trunks: o.trunks,
    },
    webhooks: {
      allowedHosts: v['webhooks.allowed_hosts'],
      caFile: v['webhooks.ca_file'],
      timeoutMs: v['webhooks.timeout'],
      retryBaseMs: v['webhooks.retry_base'],
    },
    speech: {
      device: v['speech.device'],
      stt: {
        engine: v['speech.stt.engine'],
        model: v['speech.stt.model'],
        url: v['speech.stt.url'],
        apiKey: v['speech.stt.api_key'],
        prompt: v['speech.stt.prompt'],
      },
      tts: {
        engine: v['speech.tts.engine'],
        model: v['speech.tts.model'],
        voice: v['speech.tts.voice'],
        url: v['speech.tts.url'],
        apiKey: v['speech.tts.api_key'],
      },
    },
    llm: {
      engine: v['llm.engine'],
      model: v['llm.model'],
      url: v['llm.url'],
      apiKey: v['llm.api_key'],
      script: v['llm.script'],
      contextTokens: v['llm.context_tokens'],
      timeoutMs: v['llm.timeout'],
    },
    log: { level: v['log.level'], format: v['log.format'] },
  }
}

/** `host` is required and must have been looked at before; `index` counts from 0. */
export function buildTrunk(v: ReadTrunk, host: string, index: number): TrunkConfig {
  return {
    name: v.name ?? (index === 0 ? 'main' : `trunk${index + 1}`),
    host,
    port: v.port,
    domain: v.domain,
    transport: v.transport,
    username: v.username,
    password: v.password,
    register: v.register,
    expiresSeconds: Math.round(v.expires / 1000),
    outboundProxy: v.outbound_proxy,
    allowedSources: v.allowed_sources,
    numbers: v.numbers,
    callerId: v.caller_id,
    numberFormat: v.number_format,
    codecs: v.codecs,
    srtp: v.srtp,
    dtmf: v.dtmf,
    maxCalls: v.max_calls,
    perSecond: v.per_second,
    caFile: v.ca_file,
    verify: v.verify,
  }
}
