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

/** One call's sound is heard as it comes; of many calls it is gathered for this long at most, to be judged together. */
const GATHER_MS = 8
/** A call whose sound does not come is looked after this often: it may have been let go of. */
const IDLE_MS = 250
/** After being away the sound of the last 3 s is still worth hearing; what is older has had its consequences. */
const CATCH_UP_SECONDS = 3

declare const self: Worker

const watched = new Map<number, Listener>()
let session: Session | undefined
let lastHeard = 0
let gathering = false

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
  const listener = new Listener({ session, ring, at, speechFrom, on })
  watched.set(id, listener)
  void follow({ session, ring, isWatched: () => watched.get(id) === listener })
}

async function follow(o: { session: Session; ring: Ring; isWatched(): boolean }): Promise<void> {
  for (let seen = -1; o.isWatched(); await o.ring.grown(seen, IDLE_MS)) {
    if (o.ring.written === seen) continue
    seen = o.ring.written
    gather(o.session)
  }
}

/** Hears what is new, at once or together with what comes within the next milliseconds. */
function gather(session: Session): void {
  if (gathering) return
  const wait = lastHeard + Math.min(watched.size - 1, GATHER_MS) - performance.now()
  if (wait <= 0) {
    hear(session)
    return
  }
  gathering = true
  setTimeout(() => hear(session), wait)
}

function hear(session: Session): void {
  gathering = false
  lastHeard = performance.now()
  listenTogether(session, watched.values())
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
