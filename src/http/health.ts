import type { Probe } from '../core/probe.ts'
import { json } from './errors.ts'
import type { Route } from './route.ts'
import type { ApiServices } from './services.ts'

/** Liveness, readiness and metrics: at the root, without a key. */
export function healthRoutes(d: Pick<ApiServices, 'probes' | 'metrics'>): Route[] {
  const open = { method: 'GET', access: 'public', body: 'ignored' } as const
  return [
    { ...open, path: '/healthz', prepare: () => () => json({ status: 'ok' }) },
    { ...open, path: '/readyz', prepare: () => async () => readiness(await d.probes()) },
    {
      ...open,
      path: '/metrics',
      prepare: () => async () =>
        new Response(await d.metrics(), {
          headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
        }),
    },
  ]
}

/** 200 when every probe is ready, else 503 that names what is not. */
function readiness(probes: readonly Probe[]): Response {
  const waiting = probes.filter((probe) => probe.state !== 'ready')
  if (waiting.length === 0) return json({ status: 'ready', probes })
  const names = waiting.map((probe) => `${probe.name} (${probe.state})`).join(', ')
  return json(
    { error: `Not ready: ${names}.`, code: 'not_ready', status: 'not_ready', probes },
    503,
  )
}
