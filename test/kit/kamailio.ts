/** kamailio as a provider: registrar and proxy with digest, for `alice` with the password `s3cret` at `trunk.test`. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort, type Peer, scratchDirectory, startPeer, untilBound } from './peers.ts'

const TEMPLATE = join(import.meta.dirname, '../interop/kamailio.cfg')

export const PROVIDER = { domain: 'trunk.test', username: 'alice', password: 's3cret' } as const

export interface Kamailio {
  port: number
  stop(): Promise<void>
}

/** Passes calls on to the UAS at `uasPort`. */
export async function startKamailio(o: { uasPort: number }): Promise<Kamailio> {
  const port = await freePort()
  const { path, remove } = scratchDirectory()
  const file = join(path, 'kamailio.cfg')
  const config = readFileSync(TEMPLATE, 'utf8')
    .replaceAll('SIP_PORT', String(port))
    .replaceAll('UAS_PORT', String(o.uasPort))
    .replaceAll('QOP', '1')
  writeFileSync(file, config)
  const small = ['-DD', '-E', '-m', '32', '-M', '4', '-Y', path]
  const peer: Peer = startPeer('kamailio', ['-f', file, ...small, '-P', join(path, 'pid')])
  const stop = async (): Promise<void> => {
    await peer.stop()
    remove()
  }
  await untilBound(port).catch(async (error: Error) => {
    await stop()
    throw new Error(`${error.message}; kamailio said: ${peer.output().slice(-1_000)}`)
  })
  return { port, stop }
}
