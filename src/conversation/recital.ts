/** Speaking a text that is known beforehand: the first message, stock lines. */
import type { Clock } from '../core/clock.ts'
import { reasonOf } from '../core/errors.ts'
import { clausesOf } from './clauses.ts'
import { ENGINE_TIMEOUT_MS } from './limits.ts'
import type { Voice } from './ports.ts'
import type { Reply } from './reply.ts'
import type { Line } from './speech-queue.ts'
import type { Event } from './state.ts'
import { eachWithin } from './waiting.ts'

export type Clip = Int16Array<SharedArrayBuffer>

/** A text and how its sound is come by. */
export interface Piece {
  text: string
  clips(signal: AbortSignal): Promise<Clip[]>
}

/** All clips of a text. Throws what the voice throws, or an Error when it makes no sound. */
export async function synthesise(
  d: { voice: Voice; clock: Clock },
  o: { text: string; rateHz: number; ahead?: boolean; signal: AbortSignal },
): Promise<Clip[]> {
  const limits = { clock: d.clock, ms: ENGINE_TIMEOUT_MS, signal: o.signal, what: 'text to speech' }
  const clips: Clip[] = []
  for await (const clip of eachWithin(d.voice.speak(o), limits)) clips.push(clip)
  if (clips.length === 0) throw new Error('text to speech: it made no sound')
  return clips
}

/** The pieces of a text, each synthesised once, when it is first asked for; again only when that failed. */
export function piecesOf(
  d: { voice: Voice; clock: Clock },
  o: { text: string; rateHz: number },
): Piece[] {
  return clausesOf(o.text).map((text) => {
    let made: Promise<Clip[]> | undefined
    return {
      text,
      clips(signal) {
        made ??= synthesise(d, { text, rateHz: o.rateHz, signal })
        made.catch(() => {
          made = undefined
        })
        return made
      },
    }
  })
}

/** Speaks pieces on a line, held until `release`. A reply without recognition, model and tools. */
export function startRecital(
  on: (event: Event) => void,
  o: { line: Line; pieces: readonly Piece[] },
): Reply {
  const { line } = o
  const controller = new AbortController()
  async function recite(): Promise<void> {
    for (const piece of o.pieces) {
      const clips = await piece.clips(controller.signal)
      if (controller.signal.aborted) return
      line.add(piece.text)
      for (const clip of clips) line.sound(clip)
      line.done()
    }
    line.end()
  }
  void recite().catch((error: unknown) => {
    if (controller.signal.aborted) return
    on({ type: 'failed', id: line.id, stage: 'voice', reason: reasonOf(error) })
    if (line.started) line.end()
  })
  return {
    line,
    said: '',
    marks: { finalText: null, firstToken: null, firstSound: null },
    release: () => line.release(),
    holdBack: () => line.holdBack(),
    drop() {
      controller.abort()
      line.drop()
    },
    answerTool: () => undefined,
  }
}
