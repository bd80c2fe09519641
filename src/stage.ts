/** An appliance of its own for a callee on this machine: in a directory that is thrown away, on any free ports. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ApiClient, createApiClient } from './cli/api-client.ts'
import type { OwnersData, RunningServer } from './cli/appliance.ts'
import { loadConfig } from './cli/load-config.ts'
import type { Config } from './config/config.ts'
import type { Clock } from './core/clock.ts'
import { type Ids, sha256 } from './core/ids.ts'
import type { Log } from './core/log.ts'

const OWN_NUMBER = '+15559876543'

export interface StageDeps {
  clock: Clock
  ids: Ids
  serve(config: Config, log: Log): Promise<RunningServer>
  openData(config: Config): Promise<OwnersData>
}

export interface Stage {
  client: ApiClient
  stop(): Promise<void>
}

/** Where its data lies. */
export function dataDirOf(directory: string): string {
  return join(directory, 'data')
}

/** Starts it, with a key for its API. `toml` is added to its configuration file, which is like any owner's. */
export async function setStage(
  d: StageDeps,
  o: {
    name: string
    directory: string
    calleePort: number
    script: string
    toml: string
    log: Log
  },
): Promise<Stage> {
  const config = writeConfig(o)
  const server = await d.serve(config, o.log)
  try {
    const key = await makeKey(config, d, o.name)
    const terminal = { fetch }
    const client = createApiClient({ terminal, url: server.url, key, certFile: null })
    return { client, stop: () => server.stop() }
  } catch (error) {
    await server.stop()
    throw error
  }
}

async function makeKey(config: Config, d: StageDeps, name: string): Promise<string> {
  const data = await d.openData(config)
  const key = d.ids.apiKey()
  await data.keys.create({ id: d.ids.uuid(), name, hash: sha256(key), createdAt: d.clock.now() })
  await data.close()
  return key
}

function writeConfig(o: {
  name: string
  directory: string
  calleePort: number
  script: string
  toml: string
}): Config {
  const file = join(o.directory, 'landline.toml')
  writeFileSync(join(o.directory, 'agent.dialogue'), o.script)
  writeFileSync(
    file,
    `data_dir = "data"

[http]
port = 0

[account]
name = ${JSON.stringify(o.name)}

[sip]
host = "127.0.0.1"
port = 0

[[sip.trunks]]
name = "callee"
host = "127.0.0.1"
port = ${o.calleePort}
numbers = ["${OWN_NUMBER}"]

[speech.stt]
model = "demo"

[llm]
engine = "scripted"
script = "agent.dialogue"

${o.toml}`,
  )
  const { config } = loadConfig({ file, flags: [], env: {}, directory: o.directory })
  // Any free ports: a server that runs on the configured range is not disturbed.
  return { ...config, sip: { ...config.sip, rtpPorts: { from: 0, to: 0 } } }
}
