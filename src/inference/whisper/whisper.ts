import type { Tensor } from 'onnxruntime-common'
import type { Recognition } from '../../conversation/ports.ts'
import type { Runtime } from '../onnx/runtime.ts'
import { cutIntoWindows } from './cuts.ts'
import { createDecoder, type Decoder } from './decoder.ts'
import { createPasses } from './decoder-passes.ts'
import { createEncoder } from './encoder.ts'
import { WHISPER_RATE_HZ } from './mel.ts'
import { nameOfDecoder, type WhisperFiles } from './model-files.ts'
import { type ModelSessions, type SessionOptions, withSessions } from './sessions.ts'
import type { WhisperSettings } from './settings.ts'
import { type HearOptions, joinWindows, SoundMemory, type SpeechModel } from './speech-model.ts'
import { guessedInstead, heardLanguage, type Start, startTokens } from './start-tokens.ts'
import { bansOf } from './token-rules.ts'

/** OpenAI's rule for its own decoder: this sure that there is no speech, and this unsure of the words. */
const NO_SPEECH_PROBABILITY = 0.6
const NO_SPEECH_LOG_PROBABILITY = -1
/** Nobody speaks as fast; what comes faster is made up. */
const TOKENS_PER_SECOND = 15
const LEAST_TOKENS = 16

/** Loads a Whisper model. Throws an Error that names the file that does not fit. */
export function loadWhisper(runtime: Runtime, files: WhisperFiles, o: SessionOptions): SpeechModel {
  return withSessions(runtime, files, { ...o, make: (sessions) => new Whisper(sessions, files) })
}

class Whisper implements SpeechModel {
  private readonly sessions: ModelSessions
  private readonly files: WhisperFiles
  private readonly encoder: ReturnType<typeof createEncoder>
  private readonly decoder: Decoder

  constructor(sessions: ModelSessions, files: WhisperFiles) {
    this.sessions = sessions
    this.files = files
    this.encoder = createEncoder(sessions.encoder, files)
    this.decoder = createWhisperDecoder(sessions, files)
  }

  recognise(samples: Int16Array, o: HearOptions): ReturnType<SpeechModel['recognise']> {
    const { settings, tokenizer } = this.files
    const memory = o.memory ?? new SoundMemory()
    const previous = o.prompt?.trim() ? tokenizer.encode(` ${o.prompt.trim()}`) : []
    const language = heardLanguage(o.language, settings)
    const fallback = language === 'guess' ? guessedInstead(o.language) : language.fallback
    const windows = cutIntoWindows(samples, this.encoder.longestSamples)
    const parts = windows.map((window, i) => {
      // Later windows begin elsewhere when the sound goes on: what was computed of them does not hold.
      const hidden = this.encoder.encode(window, i === 0 ? memory.mel : undefined)
      const code = language === 'guess' ? this.guess(hidden, memory) : language.code
      const start = startTokens(settings, { code, previous })
      return this.decodeWindow(hidden, { window, start, i, memory, isAborted: o.isAborted })
    })
    return { ...joinWindows(parts), fallback }
  }

  release(): void {
    this.sessions.release()
  }

  private guess(hidden: Tensor, memory: SoundMemory): string | null {
    const { languages, start } = this.files.settings.tokens
    const codes = new Map([...languages].map(([code, token]) => [token, code]))
    memory.guess ??= codes.get(this.decoder.choose(hidden, [start], [...codes.keys()]))
    return memory.guess ?? null
  }

  private decodeWindow(
    hidden: Tensor,
    o: {
      window: Int16Array
      start: Start
      i: number
      memory: SoundMemory
      isAborted: () => boolean
    },
  ): Recognition {
    const decoded = this.decoder.decode(hidden, {
      prompt: o.start.tokens,
      startAt: o.start.startAt,
      mostTokens: LEAST_TOKENS + Math.ceil((TOKENS_PER_SECOND * o.window.length) / WHISPER_RATE_HZ),
      draft: o.memory.drafts[o.i] ?? [],
      isAborted: o.isAborted,
    })
    o.memory.drafts[o.i] = decoded.tokens
    const isSilence =
      decoded.noSpeech > NO_SPEECH_PROBABILITY &&
      decoded.meanLogProbability < NO_SPEECH_LOG_PROBABILITY
    const text = isSilence ? '' : this.files.tokenizer.decode(decoded.tokens).trim()
    const { noSpeech, meanLogProbability: logProbability } = decoded
    return { text, noSpeech, logProbability }
  }
}

/** Whisper's decoder, without timestamps. */
export function createWhisperDecoder(
  sessions: Pick<ModelSessions, 'decoder'>,
  { where, settings, decoder }: WhisperFiles,
): Decoder {
  const { tokens, vocabularySize } = settings
  const shape = decoderShape(settings)
  return createDecoder({
    open: createPasses(sessions.decoder, shape, nameOfDecoder(decoder, where)),
    shape,
    end: tokens.end,
    noSpeech: tokens.noSpeech,
    bans: bansOf({
      vocabularySize,
      suppressed: [...tokens.suppressed, tokens.start],
      suppressedFirst: tokens.suppressedFirst,
      // <|notimestamps|> is the last token before the timestamps.
      none: tokens.noTimestamps,
      end: tokens.end,
    }),
  })
}

function decoderShape(settings: WhisperSettings) {
  return {
    layers: settings.decoderLayers,
    heads: settings.decoderHeads,
    headSize: settings.modelSize / settings.decoderHeads,
    vocabularySize: settings.vocabularySize,
    positions: settings.targetPositions,
  }
}
