import { json } from './errors.ts'
import type { Route } from './route.ts'
import type { ApiServices } from './services.ts'

/** How calls to our own numbers are answered. */
export function numberRoutes({ numbers }: Pick<ApiServices, 'numbers'>): Route[] {
  const one = '/api/v1/numbers/:number'
  const key = { access: 'key', body: 'ignored' } as const
  return [
    {
      ...key,
      method: 'GET',
      path: '/api/v1/numbers',
      prepare: () => async () => json(await numbers.list()),
    },
    {
      ...key,
      method: 'GET',
      path: one,
      prepare:
        ({ params: { number = '' } }) =>
        async () =>
          json(await numbers.get(number)),
    },
    {
      ...key,
      method: 'PUT',
      path: one,
      body: 'json',
      async find({ params: { number = '' } }) {
        numbers.requireOwn(number)
      },
      prepare({ body, params: { number = '' } }) {
        const fields = numbers.parse(number, body)
        return async () => json(await numbers.put(number, fields))
      },
    },
    {
      ...key,
      method: 'DELETE',
      path: one,
      prepare:
        ({ params: { number = '' } }) =>
        async () => {
          await numbers.remove(number)
          return new Response(null, { status: 204 })
        },
    },
  ]
}
