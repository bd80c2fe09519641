import { describe, expect, it } from 'vitest'
import { setupHttp } from '../../test/kit/http-client.ts'

describe('health', () => {
  it('is told without a key', async () => {
    const { send } = setupHttp()
    expect((await send('GET', '/healthz', { key: null })).json).toEqual({ status: 'ok' })
  })

  it('is ready when every probe is', async () => {
    const { send, services } = setupHttp()
    services.probeList.push({ name: 'trunk main', state: 'ready', reason: 'socket open' })
    const answer = await send('GET', '/readyz', { key: null })
    expect(answer.status).toBe(200)
    expect(answer.json).toEqual({ status: 'ready', probes: services.probeList })
  })

  it.each(['away', 'missing'] as const)(
    'is 503 with state and reason when one is %s',
    async (state) => {
      const { send, services } = setupHttp()
      const probe = {
        name: 'speech-to-text',
        state,
        reason: 'no model',
        mend: 'landline models pull',
      }
      services.probeList.push(probe)
      const answer = await send('GET', '/readyz', { key: null })
      expect(answer.status).toBe(503)
      expect(answer.json).toEqual({
        error: `Not ready: speech-to-text (${state}).`,
        code: 'not_ready',
        status: 'not_ready',
        probes: [{ name: 'database', state: 'ready' }, probe],
      })
    },
  )

  it('gives Prometheus its text', async () => {
    const answer = await setupHttp().send('GET', '/metrics', { key: null })
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(answer.text).toContain('landline_up 1\n')
  })
})
