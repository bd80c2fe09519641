/** Tells what happens in a conversation: the transcript as it grows, and events for those who watch. */
import type { TalkEvent } from '../calls/ports.ts'
import { reasonOf } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import type { Marks } from './reply.ts'
import type { SpeechNews } from './speech-queue.ts'
import type { ToolCall } from './tools.ts'
import type { Transcript } from './transcript.ts'

/** What a line is, to those who read the transcript later. */
export interface LineKind {
  filler: boolean
  /** Added for the model before the line. */
  note: string | null
  /** Of a model's reply: when its stages happened. */
  marks: Marks | null
}

export interface Teller {
  speech(news: SpeechNews, kind: LineKind): void
  /** `continues`: it goes on with the turn before, which is told again, longer. */
  human(turn: {
    text: string
    at: number
    until: number
    continues: boolean
    finalText: number | null
  }): void
  tool(call: ToolCall): void
  /** The human was handed over. */
  handedOver(): void
}

export function createTeller(o: {
  transcript: Transcript
  now(): number
  log: Log
  on(event: TalkEvent): void
}): Teller {
  const { transcript, now } = o
  /** The human's turn that the next reply answers. */
  let unanswered: { until: number; finalText: number | null } | null = null

  function tell(event: TalkEvent): void {
    try {
      o.on(event)
    } catch (error) {
      o.log.error('conversation event was not taken', { reason: reasonOf(error) })
    }
  }

  function began(news: SpeechNews, kind: LineKind): void {
    const at = now()
    if (kind.note !== null) transcript.note(kind.note)
    const turn = transcript.begin(news.id, { text: news.text, at, filler: kind.filler })
    tell({ type: 'transcript', turn, role: 'agent', text: news.text, final: false, at })
    if (!kind.marks || kind.note !== null || !unanswered) return
    const { finalText, firstToken, firstSound } = kind.marks
    const { until: speechEnd } = unanswered
    const timing = {
      turn,
      speechEnd: Math.round(speechEnd),
      finalText: finalText ?? unanswered.finalText,
      firstToken,
      firstSound,
      onWire: at,
    }
    unanswered = null
    tell({ type: 'timing', timing })
  }

  return {
    speech(news, kind) {
      if (news.type === 'sounding') return began(news, kind)
      const final = news.type === 'finished'
      const changed = final
        ? transcript.finish(news.id, news.text, news.whole)
        : transcript.progress(news.id, news.text)
      if (changed) tell({ type: 'transcript', ...changed.turn, turn: changed.index, final })
    },
    human({ text, at, until, continues, finalText }) {
      unanswered = { until, finalText }
      const { turn, index } = transcript.human(text, Math.round(at), continues)
      tell({ type: 'transcript', ...turn, turn: index, final: true })
    },
    tool: (call) => tell({ type: 'tool', name: call.name, arguments: call.arguments, at: now() }),
    handedOver: () => tell({ type: 'transferred', at: now() }),
  }
}
