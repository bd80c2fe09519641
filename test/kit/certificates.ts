/** A certificate authority of a test's own, made with openssl, and server certificates that it signed. */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { scratchDirectory } from './peers.ts'

export interface Authority {
  /** The PEM file of its own certificate. */
  caFile: string
  /** A key and a certificate for `names`, as openssl writes subjectAltName: `DNS:trunk.test,IP:127.0.0.1`. */
  issue(names: string): { keyFile: string; certFile: string; key: string; cert: string }
  remove(): void
}

export function createAuthority(): Authority {
  const { path, remove } = scratchDirectory()
  const file = (name: string): string => join(path, name)
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', args, { cwd: path, stdio: 'pipe' })
  }
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const ca = ['-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=Landline test CA']
  openssl('req', '-x509', ...newKey, ...ca)
  let issued = 0
  return {
    caFile: file('ca.pem'),
    issue(names) {
      const name = `server${++issued}`
      const request = ['-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', '/CN=server']
      openssl('req', ...newKey, ...request)
      writeFileSync(file(`${name}.ext`), `subjectAltName=${names}\n`)
      const signing = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2']
      const out = ['-extfile', `${name}.ext`, '-out', `${name}.pem`]
      openssl('x509', '-req', '-in', `${name}.csr`, ...signing, ...out)
      const [keyFile, certFile] = [file(`${name}.key`), file(`${name}.pem`)]
      const [key, cert] = [readFileSync(keyFile, 'utf8'), readFileSync(certFile, 'utf8')]
      return { keyFile, certFile, key, cert }
    },
    remove,
  }
}
