import { json } from './errors.ts'
import type { Route } from './route.ts'
import type { ApiServices } from './services.ts'

/** The first voice of the engine is the one that speaks when a call asks for nothing. */
export function voiceRoutes(d: Pick<ApiServices, 'voices'>): Route[] {
  return [
    {
      method: 'GET',
      path: '/api/v1/voices',
      access: 'key',
      body: 'ignored',
      prepare: () => () => {
        const data = d.voices().map(({ id, engine, language, name }, index) => ({
          id,
          engine,
          language,
          name,
          default: index === 0,
        }))
        return json({ data })
      },
    },
  ]
}
