import { problemOfSchema, problemOfValue } from './judge.ts'
import type { SchemaQuestion, SchemaVerdict } from './schema-messages.ts'

declare const self: Worker

self.onmessage = ({ data }: MessageEvent<SchemaQuestion>) => {
  const problem =
    'json' in data
      ? problemOfValue(data.schema, JSON.parse(data.json))
      : problemOfSchema(data.schema)
  self.postMessage({ id: data.id, problem } satisfies SchemaVerdict)
}
