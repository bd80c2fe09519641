import type { Runtime, Session } from '../onnx/runtime.ts'
import type { DecoderSessions } from './decoder-passes.ts'
import type { DecoderFiles, OnnxFile } from './model-files.ts'

export interface SessionOptions {
  /** How many work on one recognition. */
  threads: number
  device?: 'cpu' | 'cuda'
}

export interface ModelSessions {
  encoder: Session
  decoder: DecoderSessions
  release(): void
}

/** Loads a model's files and makes `T` of them; nothing stays loaded when that throws. */
export function withSessions<T>(
  runtime: Runtime,
  files: { encoder: OnnxFile; decoder: DecoderFiles },
  o: SessionOptions & { make: (sessions: ModelSessions) => T },
): T {
  const open: Session[] = []
  const load = (file: OnnxFile): Session => {
    const session = runtime.createSession(file, o)
    open.push(session)
    return session
  }
  const release = (): void => {
    for (const session of open.splice(0)) session.release()
  }
  try {
    const encoder = load(files.encoder)
    const { decoder } = files
    const sessions =
      'merged' in decoder
        ? { merged: load(decoder.merged) }
        : { first: load(decoder.first), later: load(decoder.later) }
    return o.make({ encoder, decoder: sessions, release })
  } catch (error) {
    release()
    throw error
  }
}
