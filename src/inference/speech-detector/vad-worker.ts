/** The thread that tells speech from silence, alone in it: it must hear the human even while models think. */

import { readFileSync } from 'node:fs'
import sileroPath from '../../../models/silero_vad.onnx' with { type: 'file' }
import type { SpeechEvent } from '../../conversation/ports.ts'
import { reasonOf } from '../../core/errors.ts'
import { Ring } from '../../core/ring.ts'
import { openRuntime, type Session } from '../onnx/runtime.ts'
import { Listener, listenTogether } from './listener.ts'
import { SileroStream } from './silero.ts'
import type { VadReply, VadRequest } from './vad-messages.ts'

/** Sound comes every 20 ms; looking this often costs little and delays what is heard by 4 ms in the mean. */
const POLL_MS = 8
/** After being away the sound of the last 3 s is still worth hearing; what is older has had its consequences. */
const CATCH_UP_SECONDS = 3

declare const self: Worker

const watched = new Map<number, Listener>()
let session: Session | undefined
let polling = false

function send(reply: VadReply): void {
  self.postMessage(reply)
}

function begin(dataDir: string): void {
  try {
    session = openRuntime(dataDir).createSession(readFileSync(sileroPath))
  } catch (error) {
    send({ type: 'failed', reason: reasonOf(error) })
  }
}

function watch(session: Session, request: Extract<VadRequest, { type: 'watch' }>): void {
  const { id, speechFrom } = request
  const ring = new Ring(request.ears)
  const oldest = ring.written - Math.min(CATCH_UP_SECONDS * ring.rateHz, ring.capacity)
  const at = Math.max(request.at, oldest)
  const on = (event: SpeechEvent): void => send({ type: 'event', id, event })
  watched.set(id, new Listener({ session, ring, at, speechFrom, on }))
  if (!polling) poll(session)
}

function poll(session: Session): void {
  polling = watched.size > 0
  if (!polling) return
  listenTogether(session, watched.values())
  setTimeout(() => poll(session), POLL_MS)
}

self.onmessage = ({ data: request }: MessageEvent<VadRequest>) => {
  if (request.type === 'end') process.exit(0)
  if (request.type === 'begin') begin(request.dataDir)
  else if (request.type === 'unwatch') watched.delete(request.id)
  else if (session && request.type === 'watch') watch(session, request)
  else if (session && request.type === 'probe') {
    new SileroStream(session, 8000).push(new Int16Array(256))
    send({ type: 'probed', id: request.id })
  }
}
