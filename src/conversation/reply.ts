/** One reply on its way: recognition, model, voice, all ahead of its release; abortable at every step. */
import { isAbortError } from '../core/abort.ts'
import type { Clock } from '../core/clock.ts'
import { reasonOf } from '../core/errors.ts'
import type { Ring } from '../core/ring.ts'
import { createClauses } from './clauses.ts'
import { createGuard } from './confidential.ts'
import { ENGINE_TIMEOUT_MS, MAX_REPLY_CHARS, MAX_REPLY_TOKENS, MAX_TOOL_ROUNDS } from './limits.ts'
import type { Engines, Message, Tool } from './ports.ts'
import type { Line } from './speech-queue.ts'
import type { Event, FailedStage } from './state.ts'
import type { ToolCall } from './tools.ts'
import { toolMessages } from './transcript.ts'
import { createGate, eachWithin, within } from './waiting.ts'

/** What a reply is made of; ms since the epoch, null where a stage did not happen. */
export interface Marks {
  finalText: number | null
  firstToken: number | null
  firstSound: number | null
}

export interface ReplyDeps {
  engines: Engines
  clock: Clock
  now(): number
  rateHz: number
  language: string
  tools: readonly Tool[]
  /** What is not to be spoken (`secretsOf`). */
  secrets: readonly string[]
  llmTimeoutMs: number
  on(event: Event): void
}

export interface ReplyRequest {
  line: Line
  /** Speech to recognise first; null when there is none. */
  speech: { ears: Ring; from: number; to: number } | null
  /** The messages to reply to, given what was recognised; null: the text alone is wanted. */
  messages: ((text: string | null) => Promise<Message[]>) | null
}

export interface Reply {
  readonly line: Line
  readonly marks: Marks
  /** What it has given to the voice so far. */
  readonly said: string
  release(): void
  holdBack(): void
  drop(): void
  /** The answer to the tool call last told; null ends the reply. */
  answerTool(result: string | null): void
}

class StageError extends Error {
  readonly stage: FailedStage
  constructor(stage: FailedStage, cause: unknown) {
    super(reasonOf(cause), { cause })
    this.stage = stage
  }
}

/** Starts a reply. Its line stays held until `release`; tool calls wait for that too. */
export function startReply(d: ReplyDeps, o: ReplyRequest): Reply {
  const controller = new AbortController()
  const marks: Marks = { finalText: null, firstToken: null, firstSound: null }
  const gate = createGate()
  let answer: (result: string | null) => void = () => undefined
  const run = new ReplyRun(d, o, {
    marks,
    signal: controller.signal,
    askTool: async (call) => {
      await gate.passed()
      return new Promise<string | null>((resolve) => {
        answer = resolve
        d.on({ type: 'tool', id: o.line.id, call })
      })
    },
  })
  void run.whole().catch((error: unknown) => {
    if (controller.signal.aborted) return
    controller.abort()
    const stage = error instanceof StageError ? error.stage : 'model'
    d.on({ type: 'failed', id: o.line.id, stage, reason: reasonOf(error) })
    if (o.line.started) o.line.end()
  })
  return {
    line: o.line,
    marks,
    get said() {
      return run.said
    },
    release() {
      gate.open()
      o.line.release()
    },
    holdBack() {
      gate.close()
      o.line.holdBack()
    },
    drop() {
      controller.abort()
      o.line.drop()
    },
    answerTool: (result) => answer(result),
  }
}

class ReplyRun {
  private readonly d: ReplyDeps
  private readonly o: ReplyRequest
  private readonly marks: Marks
  private readonly signal: AbortSignal
  private readonly askTool: (call: ToolCall) => Promise<string | null>
  /** The voice speaks piece after piece while the model goes on. */
  private voicing: Promise<void> = Promise.resolve()
  private voiceError: unknown
  private chars = 0
  private readonly spoken: string[] = []
  private readonly guard: (piece: string) => string

  constructor(
    d: ReplyDeps,
    o: ReplyRequest,
    c: {
      marks: Marks
      signal: AbortSignal
      askTool: (call: ToolCall) => Promise<string | null>
    },
  ) {
    this.d = d
    this.o = o
    this.marks = c.marks
    this.signal = c.signal
    this.askTool = c.askTool
    this.guard = createGuard(d.secrets)
  }

  get said(): string {
    return this.spoken.join(' ')
  }

  async whole(): Promise<void> {
    const text = this.o.speech ? await this.recognise(this.o.speech) : null
    if (this.signal.aborted || !this.o.messages || text === '') return
    const messages = await this.o.messages(text)
    if (this.signal.aborted) return
    await this.think(messages)
    await this.voicing
    this.throwVoiceError()
    if (this.chars > 0 && this.marks.firstSound === null)
      throw new StageError('voice', 'text to speech: it made no sound')
    this.o.line.end()
  }

  private async recognise(speech: { ears: Ring; from: number; to: number }): Promise<string> {
    const { signal } = this
    const { clock, engines, language } = this.d
    try {
      const heard = await within(engines.recogniser.recognise({ ...speech, language, signal }), {
        clock,
        signal,
        ms: ENGINE_TIMEOUT_MS,
        what: 'speech to text',
      })
      this.marks.finalText = this.d.now()
      if (!signal.aborted) this.d.on({ type: 'recognised', id: this.o.line.id, ...heard })
      return signal.aborted ? '' : heard.text.trim()
    } catch (error) {
      throw this.failure('recogniser', error)
    }
  }

  /** Rounds of model and tools until the model asks for no tool. */
  private async think(first: Message[]): Promise<void> {
    let messages = first
    for (let round = 0; round < MAX_TOOL_ROUNDS; round++) {
      const before = this.spoken.length
      const { text, calls } = await this.ask(messages)
      // As the transcript will tell it to the next request.
      const said = this.spoken.slice(before).join(' ')
      if (calls.length === 0) {
        if (round === 0 && text.trim() === '')
          throw new StageError('empty', 'language model: it gave an empty reply')
        return
      }
      // What is said before a tool is used has to be in the mouth before it.
      await this.voicing
      this.throwVoiceError()
      for (const [i, call] of calls.entries()) {
        const result = await this.askTool(call)
        if (result === null) return
        messages = [...messages, ...toolMessages(i === 0 ? said : '', call, result)]
      }
    }
    if (this.chars === 0)
      throw new StageError('model', 'language model: it called tools again and again')
  }

  private async ask(messages: Message[]): Promise<{ text: string; calls: ToolCall[] }> {
    const { signal } = this
    const clauses = createClauses()
    const calls: ToolCall[] = []
    let text = ''
    try {
      const stream = this.d.engines.model.reply({
        messages,
        tools: this.d.tools,
        maxTokens: MAX_REPLY_TOKENS,
        signal,
      })
      const ms = this.d.llmTimeoutMs
      const limits = { clock: this.d.clock, ms, signal, what: 'language model' }
      for await (const delta of eachWithin(stream, limits)) {
        this.marks.firstToken ??= this.d.now()
        this.throwVoiceError()
        if (delta.type === 'tool') calls.push({ name: delta.name, arguments: delta.arguments })
        else {
          const more = delta.text.slice(0, MAX_REPLY_CHARS - text.length)
          text += more
          for (const clause of clauses.push(more)) this.speak(clause)
        }
        if (text.length >= MAX_REPLY_CHARS || calls.length >= MAX_TOOL_ROUNDS) break
      }
    } catch (error) {
      throw this.failure('model', error)
    }
    for (const clause of clauses.flush()) this.speak(clause)
    return { text, calls }
  }

  private speak(clause: string): void {
    if (this.chars > MAX_REPLY_CHARS) return
    const text = this.guard(clause)
    this.chars += text.length
    this.spoken.push(text)
    this.voicing = this.voicing
      .then(() => (this.voiceError === undefined ? this.synthesise(text) : undefined))
      .catch((error: unknown) => {
        this.voiceError = this.failure('voice', error)
      })
  }

  private async synthesise(text: string): Promise<void> {
    const { clock, engines, rateHz } = this.d
    const { line } = this.o
    const { signal } = this
    const limits = { clock, signal, ms: ENGINE_TIMEOUT_MS, what: 'text to speech' }
    line.add(text)
    for await (const clip of eachWithin(engines.voice.speak({ text, rateHz, signal }), limits)) {
      this.marks.firstSound ??= this.d.now()
      line.sound(clip)
    }
    line.done()
  }

  private throwVoiceError(): void {
    if (this.voiceError !== undefined) throw this.voiceError
  }

  private failure(stage: FailedStage, error: unknown): unknown {
    return error instanceof StageError || (isAbortError(error) && this.signal.aborted)
      ? error
      : new StageError(stage, error)
  }
}
