import { afterEach, describe, expect, it } from 'vitest'
import { requireCertificate } from '../../src/cli/served-certificate.ts'
import { makeCertificate } from '../../src/simulator/certificate.ts'

const servers: { stop(force: boolean): Promise<void> }[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop(true)
})

async function serve() {
  const made = await makeCertificate()
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    tls: made,
    fetch: () => new Response(),
  })
  servers.push(server)
  return { url: `https://127.0.0.1:${server.port}`, cert: made.cert }
}

describe('our own server over HTTPS', () => {
  it('is known by the certificate of its configuration, whoever signed it', async () => {
    const { url, cert } = await serve()
    await requireCertificate(url, `${cert}\n${(await makeCertificate()).cert}`)
  })

  it('is not taken for another that answers on its port', async () => {
    const { url } = await serve()
    const other = await makeCertificate()
    await expect(requireCertificate(url, other.cert)).rejects.toThrow('another certificate')
    await expect(requireCertificate('https://127.0.0.1:1', other.cert)).rejects.toThrow()
  })
})
