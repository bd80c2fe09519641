/** A value against a JSON Schema: as much of draft 2020-12 as the API's document uses. Returns what is wrong. */
export type Schemas = Readonly<Record<string, Schema>>
export type Schema = Readonly<Record<string, unknown>>

const PREFIX = '#/components/schemas/'
const KNOWN = new Set([
  ...['$ref', 'type', 'enum', 'const', 'anyOf', 'properties', 'required', 'items', 'pattern'],
  ...['additionalProperties', 'minimum', 'maximum', 'minLength', 'maxLength', 'minItems'],
  ...['minProperties', 'maxProperties', 'format', 'description', 'examples', 'default'],
])

/**
 * `strict`: an object may hold no key that its schema does not name, so that an undocumented field is found.
 * A keyword that is not known here is a problem too: nothing is passed over in silence.
 */
export function schemaProblems(
  value: unknown,
  schema: Schema,
  o: { schemas: Schemas; strict?: boolean; at?: string },
): string[] {
  const at = o.at ?? '$'
  const unknown = Object.keys(schema).filter((keyword) => !KNOWN.has(keyword))
  if (unknown.length > 0) return [`${at}: unknown keyword ${unknown.join(', ')}`]
  if (typeof schema.$ref === 'string') {
    const target = o.schemas[schema.$ref.slice(PREFIX.length)]
    return target ? schemaProblems(value, target, o) : [`${at}: no schema ${schema.$ref}`]
  }
  if (Array.isArray(schema.anyOf)) {
    const tries = (schema.anyOf as Schema[]).map((one) => schemaProblems(value, one, o))
    return tries.some((problems) => problems.length === 0) ? [] : tries.flat()
  }
  return [...scalarProblems(value, schema, at), ...partProblems(value, schema, { ...o, at })]
}

function scalarProblems(value: unknown, schema: Schema, at: string): string[] {
  const problems: string[] = []
  const types =
    typeof schema.type === 'string' ? [schema.type] : (schema.type as string[] | undefined)
  if (types && !types.some((type) => isOf(value, type)))
    return [`${at}: ${JSON.stringify(value)} is not ${types.join(' or ')}`]
  if (Array.isArray(schema.enum) && !schema.enum.includes(value))
    problems.push(`${at}: not in enum`)
  if ('const' in schema && schema.const !== value) problems.push(`${at}: not ${schema.const}`)
  if (typeof value === 'string') {
    const length = [...value].length
    if (length < Number(schema.minLength ?? 0)) problems.push(`${at}: too short`)
    if (length > Number(schema.maxLength ?? Infinity)) problems.push(`${at}: too long`)
    if (typeof schema.pattern === 'string' && !new RegExp(schema.pattern, 'u').test(value))
      problems.push(`${at}: does not match ${schema.pattern}`)
    if (schema.format === 'date-time' && !/^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$/.test(value))
      problems.push(`${at}: no date-time`)
    if (schema.format === 'uuid' && !/^[0-9a-f-]{36}$/.test(value)) problems.push(`${at}: no uuid`)
    if (schema.format === 'uri' && !URL.canParse(value)) problems.push(`${at}: no uri`)
  }
  if (typeof value === 'number') {
    if (value < Number(schema.minimum ?? -Infinity)) problems.push(`${at}: too small`)
    if (value > Number(schema.maximum ?? Infinity)) problems.push(`${at}: too large`)
  }
  return problems
}

function partProblems(
  value: unknown,
  schema: Schema,
  o: { schemas: Schemas; strict?: boolean; at: string },
): string[] {
  if (Array.isArray(value)) {
    const items = (schema.items ?? {}) as Schema
    const few = value.length < Number(schema.minItems ?? 0) ? [`${o.at}: too few`] : []
    const each = value.flatMap((item, i) =>
      schemaProblems(item, items, { ...o, at: `${o.at}[${i}]` }),
    )
    return [...few, ...each]
  }
  if (typeof value !== 'object' || value === null) return []
  const problems: string[] = []
  const properties = (schema.properties ?? {}) as Schemas
  for (const name of (schema.required ?? []) as string[])
    if (!(name in value)) problems.push(`${o.at}.${name}: missing`)
  const entries = Object.entries(value)
  if (entries.length < Number(schema.minProperties ?? 0)) problems.push(`${o.at}: too few keys`)
  if (entries.length > Number(schema.maxProperties ?? Infinity))
    problems.push(`${o.at}: too many keys`)
  for (const [name, item] of entries) {
    const extra = schema.additionalProperties
    const known = Object.hasOwn(properties, name) ? properties[name] : undefined
    const at = `${o.at}.${name}`
    if (known) problems.push(...schemaProblems(item, known, { ...o, at }))
    else if (typeof extra === 'object')
      problems.push(...schemaProblems(item, extra as Schema, { ...o, at }))
    else if (extra === false || (o.strict && schema.properties))
      problems.push(`${at}: not in the schema`)
  }
  return problems
}

function isOf(value: unknown, type: string): boolean {
  switch (type) {
    case 'null':
      return value === null
    case 'array':
      return Array.isArray(value)
    case 'integer':
      return Number.isInteger(value)
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value)
    default:
      return typeof value === type
  }
}
