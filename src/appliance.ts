/** What the command line may do with an appliance: serve it, open its data, ask its parts. */
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createApp } from './app.ts'
import type { Appliance, OwnersData, RunningServer, ServeOptions } from './cli/appliance.ts'
import type { Config } from './config/config.ts'
import type { LanguageModel } from './conversation/ports.ts'
import { systemClock } from './core/clock.ts'
import { reasonOf } from './core/errors.ts'
import { createIds } from './core/ids.ts'
import { stopAll } from './core/lifecycle.ts'
import type { Log } from './core/log.ts'
import { silentLog } from './core/log.ts'
import type { Probe } from './core/probe.ts'
import { VERSION } from './core/version.ts'
import { createEngines } from './engines.ts'
import { importModels } from './inference/hub/import-models.ts'
import { pullKnownModel } from './inference/hub/pull-model.ts'
import { createSchemaChecker } from './inference/json-schema/schema-checker.ts'
import { listModels, verifyModels } from './inference/models.ts'
import { openLog } from './observability/json-log.ts'
import { createMetrics, type Metrics } from './observability/metrics.ts'
import { createHttpPost, systemResolve } from './outbound/http-post.ts'
import { lockInstance } from './storage/instance-lock.ts'
import { openStorage, type Storage } from './storage/open.ts'
import { restoreDatabase } from './storage/restore.ts'
import { findServer, tellServer } from './storage/server-file.ts'
import type { Lateness } from './telephony/media/lateness.ts'
import { createMedia } from './telephony/media/worker-media.ts'
import { createTelephony, type Telephony } from './telephony/telephony.ts'
import { createAddressPolicy } from './webhooks/address-policy.ts'

const clock = systemClock
const ids = createIds(clock, randomBytes)
/** No sound for this long means that the other side is gone. */
const RTP_SILENCE_MS = 30_000

export function createAppliance(): Appliance {
  return {
    serve: async (config, o) => serve(config, await openLog(config.log), o),
    // Its certificates alone would make every start of the server a third longer.
    demo: async (o) => (await import('./demo.ts')).runDemo(o, { clock, ids, serve, openData }),
    selftest: async (o) =>
      (await import('./selftest.ts')).runSelftest(o, { clock, ids, serve, openData }),
    scenes: async () => (await import('./simulator/all-scenes.ts')).allScenes(),
    openData,
    restore: async (config, file) =>
      restoreDatabase({ dataDir: config.dataDir, file, log: silentLog, clock, ids }),
    running: async (config) => findServer(config.dataDir),
    probes,
    models: async (config) => listModels(config.dataDir),
    verifyModels: async (config) => verifyModels(config.dataDir),
    pullModel: (config, o) => pullKnownModel(config.dataDir, { ...o, clock }),
    importModels: (config, o) => importModels({ ...o, dataDir: config.dataDir }),
  }
}

/** The data directory's database, made when it is not there yet. */
function open(config: Config, log: Log, o: { check: boolean }): Storage {
  return openStorage({
    ...o,
    path: join(config.dataDir, 'landline.db'),
    clock,
    ids,
    log,
    initialCreditCents: config.billing.initialCreditCents,
    accountName: config.account.name,
  })
}

export async function serve(
  config: Config,
  log: Log,
  o: ServeOptions = { file: null, listens: {} },
): Promise<RunningServer> {
  const lock = lockInstance(config.dataDir, log)
  try {
    const storage = open(config, log, { check: true })
    const app = await closedUnlessDone(storage, () => assemble(config, log, storage))
    await app.start().catch(async (error: unknown) => {
      await app.stop()
      throw error
    })
    const url = app.url()
    const untell = tellServer(config.dataDir, {
      ...{ ...o, url, pid: process.pid, startedAt: clock.now() },
    })
    return {
      url,
      log,
      stop: () =>
        app.stop().finally(() => {
          untell()
          lock.release()
        }),
    }
  } catch (error) {
    lock.release()
    throw error
  }
}

async function closedUnlessDone<T>(storage: Storage, work: () => T): Promise<T> {
  try {
    return work()
  } catch (error) {
    await storage.close()
    throw error
  }
}

function assemble(config: Config, log: Log, storage: Storage) {
  const { engines, parts } = createEngines(config, { clock, log })
  const schemas = createSchemaChecker({ clock })
  const metrics = createMetrics()
  const { media, telephony } = createPhone(config, log, { metrics })
  const addressPolicy = createAddressPolicy(config.webhooks.allowedHosts)
  const ca = config.webhooks.caFile
  return createApp(config, {
    clock,
    ids,
    log,
    storage,
    trunk: telephony.trunk,
    engines,
    schemas,
    metrics: withTelephone(metrics, telephony, media.lateness),
    post: createHttpPost({
      clock,
      policy: addressPolicy,
      resolve: systemResolve,
      userAgent: `Landline/${VERSION}`,
      ...(ca === null ? {} : { ca: readFileSync(ca, 'utf8') }),
    }),
    resolve: systemResolve,
    addressPolicy,
    parts: [...parts, schemas, media, telephony],
    tls: readTls(config),
  })
}

/** Signalling and sound count by themselves; how they stand is told when the figures are read. */
function withTelephone(metrics: Metrics, telephony: Telephony, lateness: Lateness): Metrics {
  let told = 0
  let mark = lateness.mark()
  return {
    ...metrics,
    text() {
      const { malformed, connections, trunks } = telephony.stats()
      for (const trunk of trunks) metrics.trunk(trunk)
      metrics.sipConnections(connections)
      metrics.sipParseErrors(malformed - told)
      told = malformed
      const now = lateness.mark()
      metrics.rtpLateness(lateness.figures(mark, now))
      mark = now
      return metrics.text()
    },
  }
}

function createPhone(config: Config, log: Log, o: { metrics?: Metrics; probeOnly?: boolean } = {}) {
  const media = createMedia({
    clock,
    log,
    ids,
    bindHost: config.sip.host,
    portRange: [config.sip.rtpPorts.from, config.sip.rtpPorts.to],
    silenceTimeoutMs: RTP_SILENCE_MS,
    ...(config.sip.trunks.some(({ codecs }) => codecs.includes('opus'))
      ? { opusDir: config.dataDir }
      : {}),
    onClosed: (stats) => {
      o.metrics?.rtpForeignPackets(stats.packetsForeign)
      o.metrics?.rtpUnauthenticPackets(stats.packetsUnauthentic)
    },
  })
  const { probeOnly = false } = o
  const options = probeOnly ? { ...config.sip, port: 0 } : config.sip
  return { media, telephony: createTelephony({ clock, ids, log, media, options, probeOnly }) }
}

function readTls(config: Config): { cert: string; key: string } | undefined {
  const { tlsCertFile, tlsKeyFile } = config.http
  if (tlsCertFile === null || tlsKeyFile === null) return undefined
  return { cert: readFileSync(tlsCertFile, 'utf8'), key: readFileSync(tlsKeyFile, 'utf8') }
}

async function openData(config: Config): Promise<OwnersData> {
  const storage = open(config, silentLog, { check: false })
  const { keys, ledger, backup, close } = storage
  return { keys, ledger, backup, close, ids, clock }
}

/** Asks everything once, without serving: what is there is opened and closed again. Whatever throws is told as away. */
async function probes(config: Config): Promise<Probe[]> {
  const { engines, parts } = createEngines(config, { clock, log: silentLog })
  const asks: [string, () => Promise<Probe | Probe[]>][] = [
    ['database', () => probeData(config)],
    ['trunk', () => probeTrunks(config)],
    ['speech detector', () => engines.speech.probe()],
    ['speech-to-text', () => engines.recogniser.probe()],
    ['language model', () => probeModel(engines.model, config.calls.maxConcurrent)],
    ['text-to-speech', () => engines.voice.probe()],
    // Calls do without it: only where it is installed.
    ['turn model', async () => (engines.turns ? [await engines.turns.probe()] : [])],
  ]
  const answers: Probe[] = []
  for (const [name, ask] of asks) answers.push(...(await orAway(name, ask)))
  await stopAll(parts)
  return answers
}

/** Where calls may be several at once: also whether the model answers several at once. */
async function probeModel(model: LanguageModel, maxConcurrent: number): Promise<Probe[]> {
  const probe = await model.probe()
  if (probe.state !== 'ready' || maxConcurrent < 2 || !model.probeAtOnce) return [probe]
  return [probe, await model.probeAtOnce()]
}

async function orAway(name: string, ask: () => Promise<Probe | Probe[]>): Promise<Probe[]> {
  try {
    return [await ask()].flat()
  } catch (error) {
    return [{ name, state: 'away', reason: reasonOf(error) }]
  }
}

async function probeData(config: Config): Promise<Probe> {
  if (!existsSync(join(config.dataDir, 'landline.db')))
    return {
      name: 'database',
      state: 'ready',
      reason: `none yet; it will be made in ${config.dataDir}`,
    }
  const storage = open(config, silentLog, { check: true })
  try {
    return await storage.probe()
  } finally {
    await storage.close()
  }
}

/** On a port of its own, and without a REGISTER: a server that runs keeps its socket and its binding. */
async function probeTrunks(config: Config): Promise<Probe[]> {
  const { telephony } = createPhone(config, silentLog, { probeOnly: true })
  try {
    await telephony.start()
    return await telephony.trunk.probes()
  } finally {
    await telephony.stop()
  }
}
