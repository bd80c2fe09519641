/** What a server takes beyond the common core of `/v1/chat/completions`: found out by its refusals, then remembered. */
import { ServerRefusal } from './server-error.ts'

/** Keeps models from thinking aloud; the first that a server takes of each list is sent. */
const THINKING = {
  // vLLM, SGLang and llama-server hand this to the chat template; others ignore or refuse it.
  chat_template_kwargs: [{ enable_thinking: false }],
  // OpenAI and what follows it; a model that always thinks takes no "none".
  reasoning_effort: ['none', 'low'],
} as const
type ThinkingField = keyof typeof THINKING
const THINKING_FIELDS = Object.keys(THINKING) as ThinkingField[]

/** How the form of an answer is asked for, the strictest first. */
const FORMATS = ['json_schema', 'json_object', 'none'] as const

/** By these a server says that it does not take what it was sent; a grammar that cannot be made is some servers' 500. */
const REFUSALS = [400, 422, 500, 501]

export interface Dialect {
  /** How far down the list of values each field is; at its end it is left out. */
  thinking: Readonly<Record<ThinkingField, number>>
  /** What the limit is called. */
  limit: 'max_tokens' | 'max_completion_tokens'
  /** Index of FORMATS. A schema may be refused for what is in it: this is not remembered. */
  format: number
}

export const FIRST_DIALECT: Dialect = {
  thinking: { chat_template_kwargs: 0, reasoning_effort: 0 },
  limit: 'max_tokens',
  format: 0,
}

type Schema = Readonly<Record<string, unknown>>

/** The fields of a request that depend on the server. */
export function dialectFields(
  dialect: Dialect,
  o: { maxTokens: number; schema?: Schema | undefined },
): Record<string, unknown> {
  const fields: Record<string, unknown> = { [dialect.limit]: o.maxTokens }
  for (const name of THINKING_FIELDS) {
    const value: unknown = THINKING[name][dialect.thinking[name]]
    if (value !== undefined) fields[name] = value
  }
  const format = FORMATS[dialect.format]
  if (!o.schema || format === 'none') return fields
  fields.response_format =
    format === 'json_schema'
      ? { type: format, json_schema: { name: 'result', schema: o.schema } }
      : { type: format }
  return fields
}

/** What to try next after a refusal; null when nothing that was sent could be the reason. */
export function nextDialect(
  dialect: Dialect,
  error: unknown,
  o: { schema?: Schema | undefined },
): Dialect | null {
  if (!(error instanceof ServerRefusal) || !REFUSALS.includes(error.status)) return null
  if (dialect.limit === 'max_tokens' && error.said.includes('max_completion_tokens'))
    return { ...dialect, limit: 'max_completion_tokens' }
  const sent = THINKING_FIELDS.filter(
    (name) => THINKING[name][dialect.thinking[name]] !== undefined,
  )
  const named = sent.filter((name) => error.said.includes(name))
  if (named.length > 0) return lower(dialect, named, 1)
  // A server that is broken is asked no second time.
  const askedForm = o.schema !== undefined && FORMATS[dialect.format] !== 'none'
  if (askedForm) return { ...dialect, format: dialect.format + 1 }
  return error.status < 500 && sent.length > 0 ? lower(dialect, sent, FORMATS.length) : null
}

/** What is worth remembering of a dialect that was taken. */
export function remembered(dialect: Dialect): Dialect {
  return { ...dialect, format: 0 }
}

function lower(dialect: Dialect, names: readonly ThinkingField[], steps: number): Dialect {
  const thinking = { ...dialect.thinking }
  for (const name of names) thinking[name] += steps
  return { ...dialect, thinking }
}
