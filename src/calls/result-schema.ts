import { AppError } from '../core/errors.ts'
import type { ResultSchemas } from './ports.ts'

/** As JSON. */
const MAX_BYTES = 16 * 1024
const MAX_DEPTH = 64

export type ResultSchema = Readonly<Record<string, unknown>>

/** Reads `resultSchema`, as far as can be told by looking. Throws `invalid_request`; null when it is absent. */
export function readResultSchema(value: unknown): ResultSchema | null {
  if (value === undefined || value === null) return null
  if (typeof value !== 'object' || Array.isArray(value))
    throw invalid('resultSchema must be a JSON Schema object, such as { "type": "object" }.')
  if (depthOf(value, MAX_DEPTH) > MAX_DEPTH)
    throw invalid(`resultSchema may nest ${MAX_DEPTH} deep.`)
  const bytes = Buffer.byteLength(JSON.stringify(value))
  if (bytes > MAX_BYTES)
    throw invalid(`resultSchema may have up to 16 KiB as JSON; this one has ${bytes} bytes.`)
  return value as ResultSchema
}

/** Throws `invalid_request` with what is wrong when a schema cannot be used. */
export async function refuseBadSchema(
  schema: ResultSchema | null,
  schemas: ResultSchemas,
): Promise<void> {
  const problem = schema === null ? null : await schemas.problemOfSchema(schema)
  if (problem !== null) throw invalid(`resultSchema: it ${problem.replace(/[.\s]*$/, '.')}`)
}

/** Stops counting one beyond `most`. */
function depthOf(value: unknown, most: number): number {
  if (typeof value !== 'object' || value === null) return 0
  if (most <= 0) return 1
  return 1 + Math.max(0, ...Object.values(value).map((item) => depthOf(item, most - 1)))
}

function invalid(message: string): AppError {
  return new AppError('invalid_request', message)
}
