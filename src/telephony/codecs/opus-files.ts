/**
 * The native part of @evan/opus 1.0.3 that Landline carries, by processor: its SHA-256 as published. `scripts/native.ts`
 * puts it beside this file (`native/`), `unpack-opus.ts` takes it out again.
 */
export const OPUS_SHA256: Readonly<Record<string, string>> = {
  x64: '10f6cba65c439d44bded9d9ca130d63d4e775208499e4e9db55ebfdc2c08e74a',
  arm64: '0cefbe9d6bfef1c2955f2199db4a6122e21c8e9f0fae624bdc010b2be83818a8',
}

/** Its name on disk. */
export const OPUS_NAME = 'opus.node'
