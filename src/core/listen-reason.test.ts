import { createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { listenReason } from './listen-reason.ts'

const failed = (code: string): Error => Object.assign(new Error(`listen ${code}`), { code })

describe('why an address cannot be listened on', () => {
  it.each([
    ['EADDRINUSE', 'http.port'],
    ['EACCES', 'http.port'],
    ['EADDRNOTAVAIL', 'http.host'],
  ])('names the setting that mends %s', (code, setting) => {
    expect(listenReason(failed(code), 'http')).toContain(`set ${setting} to`)
    expect(listenReason(failed(code), 'sip')).toContain(`set ${setting.replace('http', 'sip')} to`)
  })

  it('is what the system says where no setting helps', () => {
    expect(listenReason(failed('EMFILE'), 'sip')).toBe('listen EMFILE')
    expect(listenReason('odd', 'sip')).toBe('odd')
  })

  it('knows the ports in use of HTTP, of SIP over TCP and of SIP over UDP', async () => {
    const first = createServer()
    await new Promise<void>((done) => first.listen(0, '127.0.0.1', done))
    const { port } = first.address() as { port: number }
    const udp = await Bun.udpSocket({ hostname: '127.0.0.1', port: 0 })
    const taken: (() => unknown)[] = [
      () => Bun.serve({ hostname: '127.0.0.1', port, fetch: () => new Response() }),
      () => new Promise((_, fail) => createServer().on('error', fail).listen(port, '127.0.0.1')),
      () => Bun.udpSocket({ hostname: '127.0.0.1', port: udp.port }),
    ]
    for (const listen of taken) {
      const error: unknown = await Promise.try(listen).catch((thrown: unknown) => thrown)
      expect(listenReason(error, 'sip')).toMatch(/^another program uses that port/)
    }
    first.close()
    udp.close()
  })
})
