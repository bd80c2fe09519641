/** All that the agent says on one call, by id: what `decide` names as a draft, a reply or a line. */
import type { Brief, CallBackOutcome, Leg } from '../calls/ports.ts'
import { type Clock, sleep } from '../core/clock.ts'
import { reasonOf } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import { secretsOf } from './confidential.ts'
import { momentOf } from './local-time.ts'
import type { Engines, Message, Tool } from './ports.ts'
import { type Piece, piecesOf, startRecital } from './recital.ts'
import { type Reply, startReply } from './reply.ts'
import { createSpeechQueue, type SpeechNews } from './speech-queue.ts'
import type { Event } from './state.ts'
import { isFiller, type LineName, type StockLines } from './stock-lines.ts'
import type { LineKind, Teller } from './teller.ts'
import type { ToolCall } from './tools.ts'
import type { Transcript } from './transcript.ts'

/** How long the mouth may take to tell what was heard once the leg has ended. */
const LAST_SOUND_MS = 500

const INTERRUPTED = 'Error: you were interrupted; the call was not transferred.'

export interface AgentLinesDeps {
  clock: Clock
  log: Log
  engines: Engines
  stock: StockLines
  brief: Brief
  systemPrompt: string
  /** What the model may do. */
  tools: readonly Tool[]
  /** The first message at the leg's rate; null when there is none. */
  firstMessage: readonly Piece[] | null
  language: string
  /** IANA name of the account's time zone. */
  timezone: string
  /** Null: no call can be scheduled. */
  callBack: ((at: number) => Promise<CallBackOutcome>) | null
  llmTimeoutMs: number
}

export interface AgentLines {
  /** Recognises [from, to) and, when `answers`, prepares the reply, held. */
  draft(o: { id: number; from: number; to: number; answers: boolean; continues: boolean }): void
  /** Prepares a reply to what was said, held. */
  reply(id: number, note: string | null): void
  firstMessage(id: number): void
  /** Makes the message for a voicemail ready, held. */
  leaveMessage(id: number): void
  /** Speaks a stock line at once. */
  say(id: number, name: LineName): void
  release(id: number): void
  holdBack(id: number): void
  drop(id: number): void
  stop(): void
  /** Presses keys when what was said before is over, and tells the model. */
  press(id: number, call: ToolCall, digits: string): Promise<void>
  /** Hands the human over when what was said before is over: something always is. Tells what becomes of it. */
  transfer(id: number, call: ToolCall, number: string): Promise<void>
  /** Schedules another call to the same number, for `when` on the clocks of the account, and tells the model. */
  callBack(id: number, call: ToolCall, when: string): Promise<void>
  answerTool(id: number, call: ToolCall, result: string | null): void
  /** The tool's answer, which ends the reply. */
  finishTool(id: number, call: ToolCall, result: string): void
  /** When the draft's text was there, ms; null when it has none. */
  finalTextAt(id: number | null): number | null
  /** Drops everything; resolves when it is known what was heard. */
  close(): Promise<void>
}

export function createAgentLines(
  d: AgentLinesDeps,
  o: {
    leg: Leg
    now(): number
    transcript: Transcript
    teller: Teller
    on(event: Event): void
  },
): AgentLines {
  const { leg, now, transcript, teller, on } = o
  const { clock } = d
  const secrets = secretsOf(d.brief.instructions)
  const { rateHz } = leg.ears
  const replies = new Map<number, Reply>()
  /** Of the lines that are not over. */
  const kinds = new Map<number, LineKind>()
  /** Lines that were dropped, of which the mouth has yet to tell what was heard. */
  const leaving = new Set<number>()
  let onLeft: () => void = () => undefined
  const queue = createSpeechQueue({ mouth: leg.mouth, rateHz, on: onSpeech })

  function onSpeech(news: SpeechNews): void {
    const kind = kinds.get(news.id)
    if (!kind) return
    teller.speech(news, kind)
    if (news.type === 'sounding') on({ type: 'sounding', id: news.id })
    if (news.type !== 'finished') return
    kinds.delete(news.id)
    if (leaving.delete(news.id)) onLeft()
    on({ type: 'finished', id: news.id, whole: news.whole, text: kind.filler ? '' : news.text })
  }

  /** What was said so far and what is `next`; a line that was just interrupted is in it as it was heard. */
  async function messages(next: { text: string; continues: boolean } | null): Promise<Message[]> {
    if (leaving.size > 0) {
      const left = new Promise<void>((done) => {
        onLeft = done
      })
      await Promise.race([left, sleep(clock, LAST_SOUND_MS)])
    }
    return [{ role: 'system', content: d.systemPrompt }, ...transcript.messages(next ?? undefined)]
  }

  /** Asks how the speech of a draft sounded, where there is a model for it; what it fails at goes by the text alone. */
  function judge(id: number, speech: { from: number; to: number }): void {
    const line = replies.get(id)
    const judged = d.engines.turns?.judge({ ears: leg.ears, ...speech })
    judged?.then(
      (chance) => {
        if (replies.get(id) === line) on({ type: 'judged', id, chance })
      },
      (error: unknown) => d.log.debug('turn not judged', { reason: reasonOf(error) }),
    )
  }

  function start(
    id: number,
    request: Pick<Parameters<typeof startReply>[1], 'speech' | 'messages'>,
    note: string | null,
  ): void {
    const { engines, clock, language, tools, llmTimeoutMs } = d
    const parts = { engines, clock, now, rateHz, language, tools, secrets, llmTimeoutMs, on }
    const reply = startReply(parts, { line: queue.open(id), ...request })
    replies.set(id, reply)
    kinds.set(id, { filler: false, note, marks: reply.marks })
  }

  function recite(id: number, pieces: readonly Piece[], filler: boolean): void {
    replies.set(id, startRecital(on, { line: queue.open(id), pieces }))
    kinds.set(id, { filler, note: null, marks: null })
  }

  async function pressed(id: number, digits: string): Promise<string> {
    await replies.get(id)?.line.drained()
    if (!replies.has(id)) return 'Error: you were interrupted; no key was pressed.'
    try {
      await leg.sendDigits(digits)
      return 'The keys were pressed.'
    } catch (error) {
      d.log.warn('keys not pressed', { callId: d.brief.callId, reason: reasonOf(error) })
      return 'Error: the keys could not be pressed.'
    }
  }

  async function transfer(id: number, call: ToolCall, number: string): Promise<void> {
    await announceTransfer(id)
    if (!replies.has(id)) return answerTool(id, call, INTERRUPTED)
    on({ type: 'transferring', id, call })
    const outcome = await leg.transfer(number)
    on({ type: 'transferred', id, outcome })
  }

  let calledBack = false
  async function scheduled(when: string): Promise<string> {
    if (calledBack) return 'Error: a call is scheduled already.'
    const at = momentOf(when, d.timezone)
    if (at === null) return 'Error: when must be a date and time such as 2026-03-21T14:00.'
    calledBack = true
    try {
      const outcome = (await d.callBack?.(at)) ?? { ok: false, reason: 'there is no way to' }
      calledBack = outcome.ok
      return outcome.ok
        ? `You will call this number again at ${when}.`
        : `Error: no call was scheduled: ${outcome.reason}.`
    } catch (error) {
      calledBack = false
      d.log.warn('callback not scheduled', { callId: d.brief.callId, reason: reasonOf(error) })
      return 'Error: the call could not be scheduled.'
    }
  }

  /** Nobody is put through without a word: where the model has none, a stock line says it. */
  async function announceTransfer(id: number): Promise<void> {
    const line = replies.get(id)?.line
    if (line?.empty) {
      line.add(d.stock.text('transfer'))
      const clips = await d.stock
        .make('transfer', rateHz, new AbortController().signal)
        .catch((error: unknown) => {
          d.log.warn('transfer not announced', { callId: d.brief.callId, reason: reasonOf(error) })
          return []
        })
      for (const clip of clips) line.sound(clip)
      line.done()
    }
    await line?.drained()
  }

  function answerTool(id: number, call: ToolCall, result: string | null): void {
    const said = replies.get(id)?.said ?? ''
    if (result !== null) transcript.tool(call, result, { line: id, said })
    replies.get(id)?.answerTool(result)
  }

  return {
    draft({ id, from, to, answers, continues }) {
      const speech = { ears: leg.ears, from, to: Math.min(to, leg.ears.written) }
      const heard = (text: string | null) => messages(text === null ? null : { text, continues })
      start(id, { speech, messages: answers ? heard : null }, null)
      judge(id, speech)
    },
    reply(id, note) {
      const asked = () => messages(note === null ? null : { text: note, continues: false })
      start(id, { speech: null, messages: asked }, note)
    },
    leaveMessage(id) {
      const { voicemail } = d.brief
      const text = voicemail !== null && typeof voicemail === 'object' ? voicemail.leaveMessage : ''
      recite(id, piecesOf({ voice: d.engines.voice, clock }, { text, rateHz }), false)
    },
    firstMessage: (id) => recite(id, d.firstMessage ?? [], false),
    say(id, name) {
      const filler = isFiller(name)
      // A filler that would have to be made first would come too late.
      if (filler && !d.stock.ready(name, rateHz))
        return on({ type: 'finished', id, whole: true, text: '' })
      const clips = (signal: AbortSignal) => d.stock.make(name, rateHz, signal)
      recite(id, [{ text: d.stock.text(name), clips }], filler)
      replies.get(id)?.release()
    },
    release: (id) => replies.get(id)?.release(),
    holdBack: (id) => replies.get(id)?.holdBack(),
    drop(id) {
      const dropped = replies.get(id)
      replies.delete(id)
      if (dropped?.line.started && kinds.has(id)) leaving.add(id)
      dropped?.drop()
    },
    stop: () => queue.stop(),
    press: async (id, call, digits) => answerTool(id, call, await pressed(id, digits)),
    transfer,
    callBack: async (id, call, when) => answerTool(id, call, await scheduled(when)),
    answerTool,
    finishTool(id, call, result) {
      transcript.tool(call, result)
      replies.get(id)?.answerTool(null)
    },
    finalTextAt: (id) => (id === null ? null : (replies.get(id)?.marks.finalText ?? null)),
    async close() {
      const open = [...replies.values()]
      for (const each of open) each.drop()
      for (let waited = 0; kinds.size > 0 && waited < LAST_SOUND_MS; waited += 10)
        await sleep(d.clock, 10)
      for (const each of open) each.line.abandon()
      kinds.clear()
    },
  }
}
