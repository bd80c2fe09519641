import { VERSION } from '../core/version.ts'
import { OPERATIONS, type Operation } from './openapi-operations.ts'
import { ref, SCHEMAS, type Schema } from './openapi-schemas.ts'

type Fields = Record<string, unknown>

/** The errors of every answer, each with an example of its body. */
const ERRORS: Readonly<Record<number, { name: string; description: string; example: Fields }>> = {
  400: error('BadRequest', 'The request is not valid; `error` names what to change.', {
    error: 'phoneNumber is required, for example "+15551234567".',
    code: 'invalid_request',
  }),
  401: error('Unauthorized', 'The API key is missing, malformed, unknown or revoked.', {
    error:
      'Missing or invalid API key. Send one in the X-API-Key header; `landline keys create` makes one.',
    code: 'unauthorized',
  }),
  402: error('InsufficientBalance', 'The balance does not cover one minute.', {
    error: 'Insufficient balance. Please top up to make calls.',
    code: 'insufficient_balance',
  }),
  404: error('NotFound', 'There is no such thing.', {
    error: 'There is no such call.',
    code: 'not_found',
  }),
  405: error(
    'MethodNotAllowed',
    'The path exists, the method does not; `Allow` lists those that do.',
    {
      error: 'DELETE is not possible here; what is: GET, HEAD.',
      code: 'method_not_allowed',
    },
  ),
  408: error('RequestTimeout', 'The body did not arrive in time.', {
    error: 'The body did not arrive within 15 seconds.',
    code: 'request_timeout',
  }),
  409: error('Conflict', 'What is asked for contradicts what is.', {
    error: 'A call to this number is already active.',
    code: 'call_active',
  }),
  413: error('PayloadTooLarge', 'The body is longer than 256 KiB.', {
    error: 'The body may have up to 256 KiB.',
    code: 'payload_too_large',
  }),
  415: error('UnsupportedMediaType', 'The body is not declared as JSON.', {
    error: 'The body must be JSON: send the header Content-Type: application/json.',
    code: 'unsupported_media_type',
  }),
  429: error('TooManyRequests', 'Too much at once; `Retry-After` says when to come back.', {
    error: 'This API key sends more than 100 requests per second (http.rate_limit). Slow down.',
    code: 'rate_limited',
  }),
  500: error('ServerError', 'A fault inside Landline; the log has more.', {
    error:
      'Something went wrong inside Landline. The log has more: look for the X-Request-Id of this answer.',
    code: 'internal',
  }),
  503: error('Unavailable', 'Not possible now; `error` names the command that mends it.', {
    error: 'No SIP trunk is configured.',
    code: 'no_trunk',
  }),
}
const HEADERS: Readonly<Record<string, Schema>> = {
  'X-Request-Id': {
    description: "The client's X-Request-Id, or one made here; the log names it.",
    schema: { type: 'string' },
  },
  'Cache-Control': { description: 'Always `no-store`.', schema: { type: 'string' } },
  'Retry-After': { description: 'Seconds.', schema: { type: 'integer', minimum: 1 } },
  Allow: { description: 'The methods of this path.', schema: { type: 'string' } },
}
/** What every answer carries. */
const COMMON_HEADERS = headerRefs(['X-Request-Id', 'Cache-Control'])

/** The OpenAPI 3.1 document. */
export function openApiDocument(): Fields {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Landline',
      version: VERSION,
      summary: 'Phones people on request and reports back.',
      description:
        'Times are ISO 8601 in UTC with milliseconds, money is in cents, durations are in seconds. Every error has the body `{ error, code }`; a method that a path does not have is 405 with `Allow`.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ ApiKey: [] }],
    tags: ['Account', 'Calls', 'Numbers', 'Webhooks', 'Health', 'Description'].map((name) => ({
      name,
    })),
    paths: paths(),
    components: {
      securitySchemes: { ApiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' } },
      schemas: SCHEMAS,
      headers: HEADERS,
      responses: Object.fromEntries(Object.entries(ERRORS).map(errorResponse)),
    },
  }
}

function paths(): Fields {
  const all: Record<string, Fields> = {}
  for (const [key, operation] of Object.entries(OPERATIONS)) {
    const [method = '', route = ''] = key.split(' ')
    const names = [...route.matchAll(/:(\w+)/g)].map(([, name]) => name)
    const path = route.replaceAll(/:(\w+)/g, '{$1}')
    const item = all[path] ?? {}
    if (names.length > 0) item.parameters = names.map(idParameter)
    item[method.toLowerCase()] = render(operation, method, route.startsWith('/api/v1/'))
    all[path] = item
  }
  return all
}

function render(operation: Operation, method: string, keyed: boolean): Fields {
  const { id, tag, summary, description, parameters, body, answer, others = [] } = operation
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    ...(keyed ? {} : { security: [] }),
    ...(parameters === undefined ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: requestBody(body) }),
    responses: {
      ...Object.fromEntries([answer, ...others].map((each) => [each.status, response(each)])),
      ...errorsOf(operation, method, keyed),
    },
  }
}

function response(answer: Operation['answer']): Fields {
  return {
    description: answer.description,
    headers: { ...COMMON_HEADERS, ...answer.headers },
    ...(answer.content === undefined ? {} : { content: content(answer.content) }),
  }
}

function errorsOf(operation: Operation, method: string, keyed: boolean): Fields {
  const statuses = new Set([...(operation.errors ?? []), 500])
  const writes = method !== 'GET' && method !== 'DELETE'
  if (keyed) for (const status of [401, 429, 503]) statuses.add(status)
  if (writes) for (const status of [400, 408, 413, 415]) statuses.add(status)
  if (operation.parameters) statuses.add(400)
  const refs: Fields = {}
  for (const status of [...statuses].sort((a, b) => a - b)) {
    const name = ERRORS[status]?.name
    if (name !== undefined) refs[status] = { $ref: `#/components/responses/${name}` }
  }
  if (operation.id === 'getReadiness')
    refs[503] = {
      description: 'Not ready.',
      headers: COMMON_HEADERS,
      content: { 'application/json': { schema: ref('Readiness') } },
    }
  return refs
}

function requestBody(body: NonNullable<Operation['body']>): Fields {
  const examples = Object.fromEntries(
    Object.entries(body.examples).map(([name, value]) => [name, { value }]),
  )
  return {
    required: true,
    content: { 'application/json': { schema: ref(body.schema), examples } },
  }
}

function content(of: NonNullable<Operation['answer']['content']>): Fields {
  return {
    [of.type]: { schema: of.schema, ...(of.example === undefined ? {} : { example: of.example }) },
  }
}

function errorResponse([status, { name, description, example }]: [
  string,
  (typeof ERRORS)[number],
]): [string, Fields] {
  const extra = { 429: ['Retry-After'], 405: ['Allow'] }[status] ?? []
  const headers = { ...COMMON_HEADERS, ...headerRefs(extra) }
  const body = { 'application/json': { schema: ref('Error'), example } }
  return [name, { description, headers, content: body }]
}

function headerRefs(names: readonly string[]): Fields {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]))
}

function idParameter(name: string | undefined): Fields {
  if (name === 'number') {
    const description = "One of the trunks' own numbers, in E.164 form."
    return { name, in: 'path', required: true, description, schema: ref('PhoneNumber') }
  }
  return { name, in: 'path', required: true, schema: { type: 'string', format: 'uuid' } }
}

function error(name: string, description: string, example: Fields) {
  return { name, description, example }
}
