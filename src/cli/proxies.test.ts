import { afterEach, describe, expect, it } from 'vitest'
import { forgetProxies } from './proxies.ts'

const servers: { stop(force: boolean): Promise<void> }[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop(true)
  forgetProxies(process.env)
})

function serve(answer: string): number {
  const server = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response(answer) })
  servers.push(server)
  return server.port as number
}

describe('proxies of the environment', () => {
  it('would see what goes to an engine on this machine, and do not', async () => {
    const engine = `http://127.0.0.1:${serve('engine')}/`
    process.env.HTTP_PROXY = `http://127.0.0.1:${serve('proxy')}`
    expect(await (await fetch(engine)).text()).toBe('proxy')
    forgetProxies(process.env)
    expect(await (await fetch(engine)).text()).toBe('engine')
  })

  it('are taken out in either case, and nothing else is', () => {
    const env = { http_proxy: 'a', HTTPS_PROXY: 'b', all_proxy: 'c', NO_PROXY: 'd', PATH: 'e' }
    forgetProxies(env)
    expect(env).toEqual({ NO_PROXY: 'd', PATH: 'e' })
  })
})
