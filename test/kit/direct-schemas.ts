import type { ResultSchemas } from '../../src/calls/ports.ts'
import { problemOfSchema, problemOfValue } from '../../src/inference/json-schema/judge.ts'

/** The real rules without their thread: for simulated time. */
export const directSchemas: ResultSchemas = {
  problemOfSchema: async (schema) => problemOfSchema(schema),
  problemOfValue: async (schema, value) => problemOfValue(schema, value),
}
