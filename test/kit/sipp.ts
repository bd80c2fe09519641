/** sipp as the called phone. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort, type Peer, scratchDirectory, startPeer, untilBound } from './peers.ts'

const SCENARIOS = join(import.meta.dirname, '../interop/sipp')

export interface Sipp {
  port: number
  /** Its exit code: 0 when the scenario went as it is written. */
  exit(): Promise<number>
  stop(): Promise<void>
}

/** Plays a scenario of test/interop/sipp once; `status` takes the place of STATUS in it. */
export async function startSipp(
  scenario: string,
  o: { status?: number; port?: number } = {},
): Promise<Sipp> {
  const port = o.port ?? (await freePort())
  const scratch = scratchDirectory()
  const file = join(scratch.path, 'scenario.xml')
  const text = readFileSync(join(SCENARIOS, `${scenario}.xml`), 'utf8')
  writeFileSync(file, text.replaceAll('STATUS', String(o.status ?? '')))
  const addresses = ['-i', '127.0.0.1', '-p', String(port), '-mi', '127.0.0.1']
  const limits = ['-mp', String(await freePort()), '-m', '1', '-nostdin', '-timeout', '30s']
  const errors = ['-trace_err', '-error_file', 'errors.log']
  const peer: Peer = startPeer(
    'sipp',
    ['-sf', file, ...addresses, ...limits, ...errors],
    scratch.path,
  )
  await untilBound(port)
  return {
    port,
    exit: () => peer.exit(),
    async stop() {
      await peer.stop()
      scratch.remove()
    },
  }
}
