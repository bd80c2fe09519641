/** The SIP side on loopback, as the wire and interop tests want it. */
import { randomBytes } from 'node:crypto'
import type { Dialed, DialRequest, IncomingCall, Leg, SipState } from '../../src/calls/ports.ts'
import { type Clock, systemClock } from '../../src/core/clock.ts'
import { createIds } from '../../src/core/ids.ts'
import type { Log } from '../../src/core/log.ts'
import type { Media } from '../../src/telephony/media/media.ts'
import { type Dns, systemDns } from '../../src/telephony/sip/dns.ts'
import { createTelephony, type Telephony } from '../../src/telephony/telephony.ts'
import type { SipOptions, TrunkOptions } from '../../src/telephony/trunk-options.ts'
import { FakeMedia } from './fake-media.ts'

export const OUR_NUMBER = '+15550001111'

export function trunkOptions(port: number, o: Partial<TrunkOptions> = {}): TrunkOptions {
  return {
    name: 'main',
    host: '127.0.0.1',
    port,
    domain: null,
    transport: 'udp',
    username: null,
    password: null,
    register: false,
    expiresSeconds: 600,
    outboundProxy: null,
    allowedSources: [],
    numbers: [OUR_NUMBER],
    callerId: 'from',
    numberFormat: '+e164',
    codecs: ['PCMU', 'PCMA'],
    srtp: 'off',
    dtmf: 'rfc4733',
    maxCalls: null,
    perSecond: null,
    caFile: null,
    verify: true,
    ...o,
  }
}

export interface LogLine {
  level: string
  message: string
  fields: Record<string, unknown>
}

export interface SipSide {
  telephony: Telephony
  media: FakeMedia
  lines: LogLine[]
  /** What `beforeInvite` was given. */
  states: SipState[]
  dial(o?: Partial<DialRequest>): { dialed: Promise<Dialed>; abort(): void; rang(): number }
}

interface Setup {
  sip?: Partial<SipOptions>
  clock?: Clock
  rate?: { perSecond: number; burst: number }
  /** Real sound; the side's own `media` is then not used. */
  media?: Media
  /** Addresses by name, where there is nothing else to know. */
  lookup?: Dns['addresses']
  dns?: Dns
  onCall?: (call: IncomingCall) => void
  probeOnly?: boolean
}

/** Starts a SIP side whose socket is on a free port of loopback. */
export async function startSipSide(
  trunks: readonly TrunkOptions[],
  o: Setup = {},
): Promise<SipSide> {
  const side = createSipSide(trunks, o)
  await side.telephony.start()
  return side
}

/** As `startSipSide`, not started. */
export function createSipSide(trunks: readonly TrunkOptions[], o: Setup = {}): SipSide {
  const media = new FakeMedia()
  const lines: LogLine[] = []
  const clock = o.clock ?? systemClock
  const telephony = createTelephony({
    clock,
    ids: createIds(clock, (n) => randomBytes(n)),
    log: collectingLog(lines),
    media: o.media ?? media,
    options: { host: '127.0.0.1', port: 0, publicHost: null, trunks, ...o.sip },
    ...(o.rate ? { rate: o.rate } : {}),
    dns: o.dns ?? dnsOf(o.lookup ?? systemDns.addresses),
    ...(o.probeOnly ? { probeOnly: o.probeOnly } : {}),
  })
  if (o.onCall) telephony.trunk.takeCalls(o.onCall)
  const states: SipState[] = []
  return {
    telephony,
    media,
    lines,
    states,
    dial(request = {}) {
      const controller = new AbortController()
      let rang = 0
      const dialed = telephony.trunk.dial({
        to: '+15551234567',
        from: OUR_NUMBER,
        callId: 'call-1',
        ringTimeoutMs: 20_000,
        signal: controller.signal,
        beforeInvite: async (state) => {
          states.push(structuredClone(state))
        },
        onRinging: () => {
          rang++
        },
        onAnswered: async () => undefined,
        ...request,
      })
      return { dialed, abort: () => controller.abort(), rang: () => rang }
    },
  }
}

/** Answers a call that came in, storing nothing; null when it was not to be answered. */
export async function answerCall(
  call: IncomingCall,
  onMoved: (state: SipState) => void = () => {},
): Promise<Leg | null> {
  const taken = await call.answer({ beforeAnswer: async () => undefined, onMoved })
  return 'answered' in taken ? taken.answered : null
}

/** Names with addresses, and neither SRV nor NAPTR records. */
function dnsOf(addresses: Dns['addresses']): Dns {
  return { addresses, srv: async () => [], naptr: async () => [] }
}

function collectingLog(lines: LogLine[]): Log {
  const write =
    (level: string) =>
    (message: string, fields: Record<string, unknown> = {}): void => {
      lines.push({ level, message, fields })
    }
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
}
