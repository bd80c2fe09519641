import type { Clock } from '../../core/clock.ts'
import type { Probe } from '../../core/probe.ts'
import { within } from '../time-limit.ts'
import { parseServerBase, type ServerBase } from './base-url.ts'
import { field, readBounded, ServerRefusal, toRefusal, toServerError } from './server-error.ts'

/** A server that speaks OpenAI's protocol. */
export interface Server extends ServerBase {
  /** How errors call it: `model server at http://…`. */
  name: string
}

const PROBE_MS = 3000
const MAX_MODEL_LIST = 4 * 1024 * 1024
const never = new AbortController().signal

/** Reads where a server is; `kind` is what errors call it. Throws when `url` is no address. */
export function toServer(kind: string, url: string, apiKey: string | undefined): Server {
  const base = parseServerBase(url, { endings: ['/v1'], apiKey })
  return { ...base, name: `${kind} at ${base.url}` }
}

/** Sends one request. Throws AbortError on abort, else an Error of one sentence when there is no success. */
export async function send(
  server: Server,
  path: string,
  o: { signal: AbortSignal; json?: unknown; form?: FormData },
): Promise<Response> {
  const headers: Record<string, string> = { ...server.headers }
  if (o.json !== undefined) headers['content-type'] = 'application/json'
  const body = o.form ?? (o.json === undefined ? undefined : JSON.stringify(o.json))
  try {
    const response = await fetch(`${server.url}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers,
      // A redirected POST would arrive as a GET: it is refused instead.
      redirect: 'manual',
      signal: o.signal,
      ...(body === undefined ? {} : { body }),
    })
    if (response.ok) return response
    throw await toRefusal(server.name, response)
  } catch (error) {
    throw toServerError(server.name, error, o.signal)
  }
}

/** Asks a server for its models: does it answer, take our key, and have `model`? */
export async function probeServer(o: {
  clock: Clock
  server: Server
  /** The probe's name. */
  name: string
  model: string
  /** The configuration's section, e.g. `llm`. */
  section: string
}): Promise<Probe> {
  const { server, name, model, section } = o
  if (model === '')
    return { name, state: 'missing', reason: 'no model is chosen', mend: `set ${section}.model` }
  try {
    const names = await within(o.clock, PROBE_MS, (signal) => listModels(server, signal))
    // A server that lists no models may still have it.
    if (names.length === 0 || names.includes(model))
      return { name, state: 'ready', reason: `${model} on the ${server.name}` }
    const reason = `the ${server.name} has no model ${model}; it has ${names.slice(0, 5).join(', ')}`
    return { name, state: 'missing', reason, mend: `set ${section}.model` }
  } catch (error) {
    const refused = error instanceof ServerRefusal && [401, 403].includes(error.status)
    const reason = `the ${toServerError(server.name, error, never).message}`
    const mend = refused ? `set ${section}.api_key` : `start the server, or set ${section}.url`
    return { name, state: 'away', reason, mend }
  }
}

/** The ids that `/v1/models` lists; none when the server has no such list. */
async function listModels(server: Server, signal: AbortSignal): Promise<string[]> {
  try {
    const response = await send(server, '/v1/models', { signal })
    const list: unknown = JSON.parse(await readBounded(response, MAX_MODEL_LIST))
    const models = field(list, 'data')
    if (!Array.isArray(models)) return []
    return models.map((entry) => field(entry, 'id')).filter((id) => typeof id === 'string')
  } catch (error) {
    if (error instanceof ServerRefusal && [404, 405, 501].includes(error.status)) return []
    if (error instanceof SyntaxError) return []
    throw error
  }
}
