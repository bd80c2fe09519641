/** sipp as the called phone, or as who calls. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort, type Peer, scratchDirectory, startPeer, untilBound } from './peers.ts'

const SCENARIOS = join(import.meta.dirname, '../interop/sipp')

export interface Sipp {
  /** Where it is called. */
  port: number
  /** Its exit code: 0 when the scenario went as it is written. */
  exit(): Promise<number>
  stop(): Promise<void>
}

/**
 * Plays a scenario of test/interop/sipp once; `status` takes the place of STATUS in it. With `loseFirst` the first
 * datagram does not reach it. `calls`: the scenario begins with a call to this number at this port of loopback.
 */
export async function startSipp(
  scenario: string,
  o: {
    status?: number
    port?: number
    loseFirst?: boolean
    calls?: { number: string; port: number }
  } = {},
): Promise<Sipp> {
  const port = o.port ?? (await freePort())
  const scratch = scratchDirectory()
  const file = join(scratch.path, 'scenario.xml')
  const text = readFileSync(join(SCENARIOS, `${scenario}.xml`), 'utf8')
  writeFileSync(file, text.replaceAll('STATUS', String(o.status ?? '')))
  const addresses = ['-i', '127.0.0.1', '-p', String(port), '-mi', '127.0.0.1']
  const limits = ['-mp', String(await freePort()), '-m', '1', '-nostdin', '-timeout', '30s']
  const errors = ['-trace_err', '-error_file', 'errors.log']
  const target = o.calls ? ['-s', o.calls.number, `127.0.0.1:${o.calls.port}`] : []
  const peer: Peer = startPeer(
    'sipp',
    ['-sf', file, ...addresses, ...limits, ...errors, ...target],
    scratch.path,
  )
  if (!o.calls) await untilBound(port)
  const relay = o.loseFirst ? await openLossyRelay(port) : null
  return {
    port: relay?.port ?? port,
    exit: () => peer.exit(),
    async stop() {
      relay?.close()
      await peer.stop()
      scratch.remove()
    },
  }
}

/** Passes datagrams on to `port` and back, all but the first. */
function openLossyRelay(port: number): Promise<{ port: number; close(): void }> {
  let caller = 0
  let came = 0
  return Bun.udpSocket({
    hostname: '127.0.0.1',
    port: 0,
    socket: {
      data(socket, data, from) {
        if (from === port) socket.send(data, caller, '127.0.0.1')
        else {
          caller = from
          if (came++ > 0) socket.send(data, port, '127.0.0.1')
        }
      },
      error() {},
    },
  })
}
