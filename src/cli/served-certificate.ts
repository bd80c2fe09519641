import { X509Certificate } from 'node:crypto'
import { connect } from 'node:tls'

const PATIENCE_MS = 3000

/**
 * Throws unless the server at `url` shows the first certificate of `pem`: our own server is known by the certificate
 * that its configuration names, whoever signed it and for whatever name.
 */
export async function requireCertificate(url: string, pem: string): Promise<void> {
  const expected = new X509Certificate(pem).fingerprint256
  const shown = await shownBy(new URL(url))
  if (shown !== expected)
    throw new Error(`the server at ${url} shows another certificate than http.tls_cert_file`)
}

function shownBy({ hostname, port }: URL): Promise<string> {
  const host = hostname.replace(/^\[|\]$/g, '')
  return new Promise((done, fail) => {
    const socket = connect({
      host,
      port: Number(port || 443),
      // What is shown is compared as it is; it need not be signed by anybody whom we know.
      rejectUnauthorized: false,
    })
    socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error('no answer in time')))
    socket.on('error', fail)
    socket.on('secureConnect', () => {
      done(socket.getPeerCertificate().fingerprint256)
      socket.destroy()
    })
  })
}
