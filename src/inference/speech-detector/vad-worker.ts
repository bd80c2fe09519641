/** The thread that tells speech from silence, alone in it: it must hear the human even while models think. */

import { readFileSync } from 'node:fs'
import sileroPath from '../../../models/silero_vad.onnx' with { type: 'file' }
import type { SpeechEvent } from '../../conversation/ports.ts'
import { reasonOf } from '../../core/errors.ts'
import { Ring } from '../../core/ring.ts'
import { openRuntime, type Session } from '../onnx/runtime.ts'
import { SpeechRuns } from './detector.ts'
import { Loudness } from './loudness.ts'
import { PureTones } from './pure-tones.ts'
import { SILERO_LAG_WINDOWS, SileroStream } from './silero.ts'
import type { VadReply, VadRequest } from './vad-messages.ts'

/** Sound comes every 20 ms; looking this often costs little and delays what is heard by 4 ms in the mean. */
const POLL_MS = 8
/** After being away the sound of the last 3 s is still worth hearing; what is older has had its consequences. */
const CATCH_UP_SECONDS = 3

interface Watched {
  ring: Ring
  at: number
  stream: SileroStream
  runs: SpeechRuns
  loudness: Loudness
  tones: PureTones
}

declare const self: Worker

const watched = new Map<number, Watched>()
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
  const ring = new Ring(request.ears)
  const oldest = ring.written - Math.min(CATCH_UP_SECONDS * ring.rateHz, ring.capacity)
  const at = Math.max(request.at, oldest)
  const stream = new SileroStream(session, ring.rateHz)
  const runs = new SpeechRuns({
    windowSamples: stream.windowSamples,
    at,
    speechFrom: request.speechFrom,
    pauseIfArmed: (from, to) => ring.pauseIfArmed(from, to),
    lagSamples: SILERO_LAG_WINDOWS * stream.windowSamples,
  })
  const loudness = new Loudness({ rateHz: ring.rateHz, at })
  const tones = new PureTones({ rateHz: ring.rateHz, at })
  watched.set(request.id, { ring, at, stream, runs, loudness, tones })
  if (!polling) poll()
}

function poll(): void {
  polling = watched.size > 0
  if (!polling) return
  for (const [id, each] of watched) listen(id, each)
  setTimeout(poll, POLL_MS)
}

function listen(id: number, each: Watched): void {
  const { ring, runs, stream } = each
  const { windowSamples } = stream
  const tell = (events: SpeechEvent[]): void => {
    for (const event of events) send({ type: 'event', id, event })
  }
  // Up to where a window will end: what it says and how loud it was are told in the order in which they were heard.
  for (let end = each.at + windowSamples; end <= ring.written; end += windowSamples) {
    tell(hear(each, end))
    tell(runs.push(stream.push(ring.read(each.at, end))))
    each.at = end
  }
  tell(hear(each, ring.written))
}

/** What can be told without the model, up to the position `to`. */
function hear({ ring, runs, loudness, tones }: Watched, to: number): SpeechEvent[] {
  const samples = ring.read(loudness.heardTo, to)
  loudness.push(samples)
  const heard = tones.push(samples).map((tone): SpeechEvent => ({ type: 'tone', ...tone }))
  return [...runs.listen(loudness, ring.rateHz), ...heard]
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
