/** kamailio as a provider: registrar and proxy with digest, for `alice` with the password `s3cret` at `trunk.test`. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort, type Peer, scratchDirectory, startPeer, untilBound } from './peers.ts'

const TEMPLATE = join(import.meta.dirname, '../interop/kamailio.cfg')

export const PROVIDER = { domain: 'trunk.test', username: 'alice', password: 's3cret' } as const

export interface Kamailio {
  port: number
  stop(): Promise<void>
}

export interface KamailioOptions {
  uasPort: number
  /** What we talk to it over; it talks UDP to the UAS. */
  transport?: 'udp' | 'tcp' | 'tls'
  /** For TLS. */
  certificate?: { keyFile: string; certFile: string }
  qop?: boolean
  algorithm?: 'MD5' | 'SHA-256'
  nonceSeconds?: number
  /** Another network namespace than ours, with its address. */
  place?: { host: string; start: typeof startPeer }
}

/** Whether kamailio can speak TLS here: a package of its own, kamailio-tls-modules. */
export function hasKamailioTls(): boolean {
  return ['/usr/lib', '/usr/lib64']
    .filter((directory) => existsSync(directory))
    .flatMap((directory) => [
      directory,
      ...readdirSync(directory).map((name) => join(directory, name)),
    ])
    .some((directory) => existsSync(join(directory, 'kamailio/modules/tls.so')))
}

/** Passes calls on to the UAS at `uasPort`, and calls to alice to where she registered. */
export async function startKamailio(o: KamailioOptions): Promise<Kamailio> {
  const port = await freePort()
  const { path, remove } = scratchDirectory()
  const file = join(path, 'kamailio.cfg')
  writeFileSync(file, configuration(o, port))
  const small = ['-DD', '-E', '-m', '32', '-M', '4', '-Y', path]
  const start = o.place?.start ?? startPeer
  const peer: Peer = start('kamailio', ['-f', file, ...small, '-P', join(path, 'pid')])
  const stop = async (): Promise<void> => {
    await peer.stop()
    remove()
  }
  // What is bound in another namespace cannot be seen from here.
  if (o.place) return { port, stop }
  const stream = o.transport === 'tcp' || o.transport === 'tls'
  await Promise.all([
    untilBound(port),
    ...(stream ? [untilBound(port, 8_000, 'tcp' as const)] : []),
  ]).catch(async (error: Error) => {
    await stop()
    throw new Error(`${error.message}; kamailio said: ${peer.output().slice(-1_000)}`)
  })
  return { port, stop }
}

function configuration(o: KamailioOptions, port: number): string {
  const { transport = 'udp', certificate } = o
  const settings = {
    udp: 'disable_tcp=yes',
    tcp: 'tcp_children=1',
    tls: 'tcp_children=1\nenable_tls=yes',
  }[transport]
  const tls = [
    'loadmodule "tls.so"',
    'modparam("tls", "tls_method", "TLSv1.2+")',
    `modparam("tls", "private_key", "${certificate?.keyFile}")`,
    `modparam("tls", "certificate", "${certificate?.certFile}")`,
  ]
  return readFileSync(TEMPLATE, 'utf8')
    .replace('TRANSPORT_SETTINGS', settings)
    .replace('TRANSPORT_MODULES', transport === 'tls' ? tls.join('\n') : '')
    .replace('LISTEN', transport === 'udp' ? '' : `listen=${transport}:127.0.0.1:SIP_PORT`)
    .replace('NONCE_EXPIRE', String(o.nonceSeconds ?? 30))
    .replace('ALGORITHM', o.algorithm === 'SHA-256' ? 'SHA-256' : '')
    .replaceAll('127.0.0.1', o.place?.host ?? '127.0.0.1')
    .replaceAll('SIP_PORT', String(port))
    .replaceAll('UAS_PORT', String(o.uasPort))
    .replaceAll('QOP', o.qop === false ? '0' : '1')
}
