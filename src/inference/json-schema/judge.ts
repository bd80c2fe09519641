/**
 * JSON Schema (draft 2020-12) by Ajv, which makes code of a schema: for a thread of its own, since a schema from outside
 * may take for ever. `format` is a hint and not checked, as the draft has it.
 */
import Ajv, { type ErrorObject, type ValidateFunction } from 'ajv/dist/2020'
import { reasonOf } from '../../core/errors.ts'

const MAX_PROBLEM = 300

/** What is wrong with a schema; null when it can be used. */
export function problemOfSchema(schema: object): string | null {
  const made = compile(schema)
  return typeof made === 'string' ? made : null
}

/** What is wrong with a value by a schema; null when it is valid. */
export function problemOfValue(schema: object, value: unknown): string | null {
  const made = compile(schema)
  if (typeof made === 'string') return made
  try {
    return made(value) ? null : told(made.errors)
  } catch (error) {
    // A schema that refers to itself without end.
    return short(`cannot be checked: ${reasonOf(error)}`)
  }
}

/** The schema as a function, or what is wrong with it. */
function compile(schema: object): ValidateFunction | string {
  const ajv = new Ajv({
    strict: false,
    validateFormats: false,
    // `required: ["toString"]` is not met by what every object inherits.
    ownProperties: true,
    // Schemas that refer to others twice and twice again would grow without measure.
    inlineRefs: false,
    logger: false,
  })
  try {
    if (!ajv.validateSchema(schema)) return told(ajv.errors)
    const validate = ajv.compile(schema)
    return '$async' in validate ? 'uses $async, which JSON Schema does not have' : validate
  } catch (error) {
    return short(`cannot be used: ${reasonOf(error)}`)
  }
}

/** The first error: where, and what must be otherwise. */
function told(errors: readonly ErrorObject[] | null | undefined): string {
  const error = errors?.[0]
  if (!error) return 'is not valid'
  const where = error.instancePath === '' ? '' : ` at ${error.instancePath}`
  return short(`is wrong${where}: it ${error.message ?? 'is not valid'}${detail(error)}`)
}

function detail({ keyword, params }: ErrorObject): string {
  const value: unknown =
    keyword === 'enum'
      ? params.allowedValues
      : keyword === 'additionalProperties'
        ? params.additionalProperty
        : undefined
  return value === undefined ? '' : ` (${JSON.stringify(value)})`
}

function short(text: string): string {
  const line = text.replace(/[\p{Cc}\s]+/gu, ' ')
  return line.length <= MAX_PROBLEM ? line : `${line.slice(0, MAX_PROBLEM)}…`
}
