/** Opens the socket of one SIP connection; for TLS the other side has to prove who it is. */
import { connect, isIP, type Socket } from 'node:net'
import { checkServerIdentity, connect as connectTls, type PeerCertificate } from 'node:tls'
import type { Clock } from '../../core/clock.ts'
import { reasonOf } from '../../core/errors.ts'
import { bracket, type Endpoint, protocolOf } from './transport.ts'

export interface TlsSettings {
  /** PEM certificates that are trusted instead of the system's; null: the system's. */
  ca: string | null
  /** False takes whatever certificate comes. */
  verify: boolean
}

/** Resolves with a connected (for TLS: verified) socket. Rejects with a reason for people. */
export function openSocket(
  to: Endpoint,
  o: { clock: Clock; from: string; patienceMs: number; settings?: TlsSettings },
): Promise<Socket> {
  const protocol = protocolOf(to)
  const what = `connecting to ${bracket(to.host)}:${to.port} over ${protocol.toLowerCase()}`
  return new Promise((done, fail) => {
    const secure = protocol === 'TLS'
    const socket = secure ? tlsSocket(to, o) : connect({ ...addresses(to, o.from) })
    let settled = false
    const settle = (how: () => void): void => {
      if (settled) return
      settled = true
      forget()
      socket.off('close', onClose)
      how()
    }
    const giveUp = (reason: string): void =>
      settle(() => {
        fail(new Error(`${what}: ${reason}`))
        socket.destroy()
      })
    const onClose = (): void => giveUp('the other side closed the connection')
    const forget = o.clock.after(o.patienceMs, () =>
      giveUp(`no answer within ${o.patienceMs / 1_000} s`),
    )
    socket.once(secure ? 'secureConnect' : 'connect', () => settle(() => done(socket)))
    // It stays for good: an error that nobody hears would end the process.
    socket.on('error', (error: Error) => giveUp(explain(error)))
    socket.on('close', onClose)
  })
}

function addresses(
  to: Endpoint,
  from: string,
): { host: string; port: number; localAddress?: string } {
  const bound = isIP(from) !== 0 && from !== '0.0.0.0' && from !== '::'
  return { host: to.host, port: to.port, ...(bound ? { localAddress: from } : {}) }
}

function tlsSocket(to: Endpoint, o: { from: string; settings?: TlsSettings }): Socket {
  const name = to.tls?.name ?? to.host
  const verify = o.settings?.verify ?? true
  const ca = o.settings?.ca ?? null
  return connectTls({
    ...addresses(to, o.from),
    minVersion: 'TLSv1.2',
    rejectUnauthorized: verify,
    // RFC 6066 §3: SNI carries names, never addresses.
    ...(isIP(name) === 0 ? { servername: name } : {}),
    ...(ca === null ? {} : { ca }),
    checkServerIdentity: (_host: string, certificate: PeerCertificate) =>
      verify ? identityError(name, certificate) : undefined,
  })
}

/** RFC 5922 §7.1: a certificate names a SIP domain by a URI too. */
function identityError(name: string, certificate: PeerCertificate): Error | undefined {
  const names = (certificate.subjectaltname ?? '').split(/,\s*/)
  if (names.some((entry) => entry.toLowerCase() === `uri:sip:${name.toLowerCase()}`))
    return undefined
  return checkServerIdentity(name, certificate)
}

/** What openssl calls it, and what the owner can do. */
function explain(error: Error & { code?: unknown }): string {
  const { code } = error
  if (code === 'ECONNREFUSED') return 'nothing listens there'
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return `its certificate is for another name (${reasonOf(error).slice(0, 200)})`
  if (typeof code === 'string' && /CERT|ISSUER|SIGNATURE|SELF_SIGNED/.test(code))
    return `its certificate is not trusted (${code}); set ca_file to the authority that signed it`
  return reasonOf(error)
}
