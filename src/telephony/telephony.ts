/** The SIP side put together: one transport, one user agent for each trunk. */
import { readFileSync } from 'node:fs'
import * as Core from 'sip.js/lib/core/index.js'
import type { Trunk } from '../calls/ports.ts'
import type { Clock } from '../core/clock.ts'
import { reasonOf } from '../core/errors.ts'
import type { Ids } from '../core/ids.ts'
import type { Log } from '../core/log.ts'
import type { Probe } from '../core/probe.ts'
import { createArrivals } from './arrivals.ts'
import { askTrunk } from './ask-trunk.ts'
import type { Media } from './media/media.ts'
import { type Dns, systemDns } from './sip/dns.ts'
import { SourceList } from './sip/gate.ts'
import { Registration } from './sip/registration.ts'
import { SipStack } from './sip/sip-stack.ts'
import { settleSipjs } from './sip/sipjs-settings.ts'
import type { TlsSettings } from './sip/stream-socket.ts'
import type { TransportStats } from './sip/transport.ts'
import { createTransport } from './sip/transports.ts'
import { TrunkAgent } from './sip/trunk-agent.ts'
import { createTrunk, type Line, type TrunkStats } from './trunk.ts'
import type { SipOptions, TrunkOptions } from './trunk-options.ts'

interface Deps {
  clock: Clock
  ids: Ids
  log: Log
  media: Media
  options: SipOptions
  /** Messages a second and source that are read; has a default fit for a trunk. */
  rate?: { perSecond: number; burst: number }
  /** Name resolution; the system's unless given. */
  dns?: Dns
  /**
   * For a look from beside a server that runs: nothing is registered, and `trunk.probes` asks each trunk whether it
   * is there.
   */
  probeOnly?: boolean
}

export interface Telephony {
  trunk: Trunk
  /** Opens the socket and begins to register. Throws when the socket cannot be opened. */
  start(): Promise<void>
  /** Ends all calls, takes registrations back, closes the socket. May be called twice and without `start`. */
  stop(): Promise<void>
  /** The port that signalling listens on, for UDP and TCP; 0 when not started. */
  localPort(): number
  stats(): TransportStats & { trunks: TrunkStats[] }
}

/** Throws when an option cannot be honoured. */
export function createTelephony(deps: Deps): Telephony {
  const { clock, ids, log, media, options } = deps
  for (const trunk of options.trunks) {
    checkOptions(trunk)
    if (trunk.srtp !== 'off' && trunk.transport !== 'tls')
      log.warn('keys of encrypted sound travel unencrypted: use transport = "tls"', {
        trunk: trunk.name,
      })
  }
  settleSipjs(ids)
  const sources = new SourceList()
  for (const trunk of options.trunks) sources.allow(trunk.name, trunk.allowedSources)
  const loggerFactory = quietLoggers()
  const { host, port, publicHost } = options
  const { rate, dns = systemDns } = deps
  const transport = createTransport({
    clock,
    ids,
    log,
    sources,
    host,
    port,
    tls: new Map(options.trunks.map((trunk) => [trunk.name, tlsSettings(trunk)])),
    needsTcp: options.trunks.some((trunk) => trunk.transport === 'tcp'),
    ...(rate ? { rate } : {}),
  })
  const stack = new SipStack({ transport, ids, loggerFactory })
  const lines = options.trunks.map((trunkOptions): Line => {
    const agent = new TrunkAgent({
      clock,
      ids,
      log,
      stack,
      sources,
      loggerFactory,
      options: trunkOptions,
      boundTo: host,
      publicHost,
      dns,
    })
    stack.add(agent)
    const registration =
      trunkOptions.register && !deps.probeOnly
        ? new Registration({ clock, ids, log, agent, transport })
        : null
    return { agent, registration }
  })
  const trunks = createTrunk({ clock, ids, log, stack, sources, media, lines })
  const arrivals = createArrivals({ clock, ids, log, stack, sources, media, lines, trunks })

  async function start(): Promise<void> {
    await transport.start(stack.events())
    if (deps.probeOnly) return
    for (const { registration } of lines) registration?.start()
    await Promise.all(lines.map(({ agent }) => find(agent)))
  }

  /** So that it may call us before we first call; a name that does not resolve yet is asked for again then. */
  async function find(agent: TrunkAgent): Promise<void> {
    const { name: trunk, transport: chosen, verify } = agent.options
    if (chosen === 'tls' && !verify)
      log.warn('a trunk is trusted whatever its certificate', { trunk })
    await agent
      .find()
      .catch((error) => log.warn('a trunk cannot be found', { trunk, reason: reasonOf(error) }))
  }

  async function stop(): Promise<void> {
    if (!transport.open) return
    arrivals.stop()
    await trunks.stop()
    await Promise.all(lines.map(({ registration }) => registration?.stop()))
    for (const { agent } of lines) agent.stop()
    await transport.stop()
  }

  const ask = (): Promise<Probe[]> =>
    Promise.all(lines.map(({ agent }) => askTrunk(agent, { clock, ids })))
  const trunk: Trunk = {
    ...trunks,
    ...(deps.probeOnly && lines.length > 0 ? { probes: ask } : {}),
    takeCalls: arrivals.take,
  }
  return {
    trunk,
    start,
    stop,
    localPort: () => transport.localPort,
    stats: () => ({ ...transport.stats, trunks: trunks.stats() }),
  }
}

/** Throws when the file cannot be read or holds no certificate. */
function tlsSettings(trunk: TrunkOptions): TlsSettings {
  const { caFile, verify, name } = trunk
  if (caFile === null) return { ca: null, verify }
  const where = `sip.trunks '${name}': reading ca_file ${caFile}`
  try {
    const ca = readFileSync(caFile, 'utf8')
    if (ca.includes('-----BEGIN CERTIFICATE-----')) return { ca, verify }
  } catch (error) {
    throw new Error(`${where}: ${reasonOf(error)}`, { cause: error })
  }
  throw new Error(`${where}: it holds no PEM certificate`)
}

/** sip.js writes whole messages, numbers and all, into its log: nobody listens. */
function quietLoggers(): Core.LoggerFactory {
  const factory = new Core.LoggerFactory()
  factory.builtinEnabled = false
  factory.level = Core.Levels.error
  return factory
}

/** Nothing from the configuration may change the lines of a message. */
const HOST = /^[A-Za-z0-9.\-_:[\]]{1,255}$/

function checkOptions(trunk: TrunkOptions): void {
  const where = `sip.trunks '${trunk.name}'`
  if (trunk.codecs.length === 0) throw new Error(`${where}: codecs is empty`)
  for (const host of [trunk.host, trunk.domain, trunk.outboundProxy])
    if (host !== null && !HOST.test(host)) throw new Error(`${where}: '${host}' is not a host`)
  if (trunk.register && trunk.username === null)
    throw new Error(`${where}: register needs a username`)
}
