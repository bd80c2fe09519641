/** The thread that Flite speaks in: a piece takes tens of milliseconds, which no call may wait for. */
import { reasonOf } from '../../core/errors.ts'
import { sharedSamples } from '../../core/pcm.ts'
import { fliteProgram } from './flite-program.ts'
import { type SpeechReply, type SpeechRequest, synthesise } from './synthesis.ts'

declare const self: Worker

async function answer(request: SpeechRequest): Promise<SpeechReply> {
  try {
    const samples = synthesise(await fliteProgram(), request)
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
