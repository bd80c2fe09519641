import { json } from './errors.ts'
import type { Route } from './route.ts'
import type { ApiServices } from './services.ts'

export function meRoutes(d: Pick<ApiServices, 'me'>): Route[] {
  return [
    {
      method: 'GET',
      path: '/api/v1/me',
      access: 'key',
      body: 'ignored',
      prepare: () => async () => {
        const { id, name, phoneNumber, balance } = await d.me()
        return json({ id, name, phoneNumber, balance })
      },
    },
  ]
}
