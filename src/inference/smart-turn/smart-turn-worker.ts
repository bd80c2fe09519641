/** The thread that hears whether somebody has finished. It reads the ring here, so that no sound crosses the main thread. */
import { basename } from 'node:path'
import { reasonOf } from '../../core/errors.ts'
import { toSamples } from '../../core/pcm.ts'
import { Ring } from '../../core/ring.ts'
import { openRuntime } from '../onnx/runtime.ts'
import { utteranceSound } from '../utterance-sound.ts'
import { WHISPER_RATE_HZ } from '../whisper/mel.ts'
import { TURN_SECONDS } from './turn-features.ts'
import type { TurnReply, TurnRequest } from './turn-messages.ts'
import { loadTurnNet, smartTurnDir, type TurnNet } from './turn-net.ts'

declare const self: Worker

/** The model expects some of the pause behind the speech: what there is of it by now, up to this much. */
const MOST_PAUSE_MS = 200

let dataDir = ''
let net: TurnNet | undefined
/** Why the model could not be loaded: not tried again for each turn. */
let failure: string | undefined

function load(): TurnNet {
  if (net) return net
  try {
    net = loadTurnNet(openRuntime(dataDir), smartTurnDir(dataDir))
    return net
  } catch (error) {
    failure = reasonOf(error)
    throw error
  }
}

function soundOf({ ears, from, to }: Extract<TurnRequest, { type: 'judge' }>): Int16Array {
  const ring = new Ring(ears)
  const end = Math.min(ring.written, to + toSamples(MOST_PAUSE_MS, ring.rateHz))
  const begin = Math.max(from, end - TURN_SECONDS * ring.rateHz)
  return utteranceSound({ ears, from: begin, to: end, rateHz: WHISPER_RATE_HZ })
}

function answer(request: Extract<TurnRequest, { id: number }>): TurnReply {
  const { id, type } = request
  try {
    if (type === 'probe') failure = undefined
    if (failure !== undefined) return { id, failed: failure }
    const model = load()
    const chance = type === 'judge' ? model.judge(soundOf(request)) : 0
    return { id, chance, file: basename(model.file) }
  } catch (error) {
    return { id, failed: reasonOf(error) }
  }
}

self.onmessage = ({ data: request }: MessageEvent<TurnRequest>) => {
  if (request.type === 'end') process.exit(0)
  if (request.type === 'begin') dataDir = request.dataDir
  else self.postMessage(answer(request))
}
