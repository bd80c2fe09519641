import stylesheet from 'swagger-ui-dist/swagger-ui.css' with { type: 'file' }
import bundle from 'swagger-ui-dist/swagger-ui-bundle.js' with { type: 'file' }
import { json } from './errors.ts'
import type { Route } from './route.ts'

/** Everything from here: the pictures inside the stylesheet are data, which is no other host. */
const POLICY =
  "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Landline API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`

/** A file of its own, since the policy forbids scripts inside the page. No validator: it lives on another host. */
const START = `SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  persistAuthorization: false,
  validatorUrl: null,
})
`

/** The API's description and the page that shows it: all from the binary, nothing read before it is asked for. */
export function docsRoutes(): Route[] {
  const open = { method: 'GET', access: 'public', body: 'ignored' } as const
  const script = 'text/javascript; charset=utf-8'
  return [
    {
      ...open,
      path: '/openapi.json',
      prepare: () => async () => json((await import('./openapi.ts')).openApiDocument()),
    },
    { ...open, path: '/docs', prepare: () => () => asset(PAGE, 'text/html; charset=utf-8') },
    { ...open, path: '/docs/start.js', prepare: () => () => asset(START, script) },
    {
      ...open,
      path: '/docs/swagger-ui-bundle.js',
      prepare: () => () => asset(Bun.file(bundle), script),
    },
    {
      ...open,
      path: '/docs/swagger-ui.css',
      prepare: () => () => asset(Bun.file(stylesheet), 'text/css; charset=utf-8'),
    },
  ]
}

function asset(body: string | Blob, type: string): Response {
  return new Response(body, {
    headers: {
      'content-type': type,
      'content-security-policy': POLICY,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    },
  })
}
