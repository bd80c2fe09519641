import { Tensor } from 'onnxruntime-common'
import type { Recognition } from '../../conversation/ports.ts'
import type { Runtime, Session } from '../onnx/runtime.ts'
import { cutIntoWindows } from '../whisper/cuts.ts'
import { createDecoder, type Decoder } from '../whisper/decoder.ts'
import { createPasses } from '../whisper/decoder-passes.ts'
import {
  type DecoderFiles,
  type ModelSource,
  nameOfDecoder,
  nameOfFile,
  type OnnxFile,
  readDecoder,
  readTokenizer,
  within,
} from '../whisper/model-files.ts'
import { type ModelSessions, type SessionOptions, withSessions } from '../whisper/sessions.ts'
import {
  type Heard,
  type HearOptions,
  joinWindows,
  SoundMemory,
  type SpeechModel,
} from '../whisper/speech-model.ts'
import { floatTypeOf, toFloatType } from '../whisper/tensors.ts'
import { bansOf } from '../whisper/token-rules.ts'
import type { Tokenizer } from '../whisper/tokenizer.ts'
import { type MoonshineSettings, readMoonshineSettings } from './settings.ts'

const RATE_HZ = 16_000
/** Its makers trained it on up to 30 s. */
const LONGEST_SAMPLES = 30 * RATE_HZ
/** Three convolutions in a row need 895 samples for one position; shorter sound is followed by silence. */
const SHORTEST_SAMPLES = RATE_HZ / 4
/** No sample louder than 50 dB under full scale: it has no way of its own to say that nobody spoke. */
const SILENT = 104
/** Its makers' limit against made-up text; scripts other than Latin take about twice the tokens. */
const TOKENS_PER_SECOND = 6.5
const TOKENS_PER_SECOND_OTHER = 13
const LEAST_TOKENS = 6

/** A Moonshine model as it lies in a directory of the Hugging Face/onnx-community layout, read and checked. */
export interface MoonshineFiles {
  where: string
  settings: MoonshineSettings
  tokenizer: Tokenizer
  encoder: OnnxFile
  decoder: DecoderFiles
}

/** Reads a model. Throws an Error that names the file and says what is wrong with it. */
export function readMoonshineFiles(source: ModelSource): MoonshineFiles {
  const json = (name: string) => source.json(name) as Record<string, unknown>
  const tokenizer = readTokenizer(source)
  const settings = within(source.where, () =>
    readMoonshineSettings({
      config: json('config.json'),
      generation: json('generation_config.json'),
      preprocessor: json('preprocessor_config.json'),
    }),
  )
  if (tokenizer.size > settings.vocabularySize)
    throw new Error(
      `${source.where}/tokenizer.json: has ${tokenizer.size} tokens, the model's config.json only ${settings.vocabularySize}`,
    )
  return {
    where: source.where,
    settings,
    tokenizer,
    encoder: source.onnx('onnx/encoder_model'),
    decoder: readDecoder(source),
  }
}

/** Loads a Moonshine model: its input may have any length. Throws an Error that names the file that does not fit. */
export function loadMoonshine(
  runtime: Runtime,
  files: MoonshineFiles,
  o: SessionOptions,
): SpeechModel {
  return withSessions(runtime, files, { ...o, make: (sessions) => new Moonshine(sessions, files) })
}

class Moonshine implements SpeechModel {
  private readonly sessions: ModelSessions
  private readonly files: MoonshineFiles
  private readonly decoder: Decoder

  constructor(sessions: ModelSessions, files: MoonshineFiles) {
    this.sessions = sessions
    this.files = files
    checkEncoder(sessions.encoder, nameOfEncoder(files))
    this.decoder = createMoonshineDecoder(sessions, files)
    this.encode(new Int16Array(SHORTEST_SAMPLES))
  }

  recognise(samples: Int16Array, o: HearOptions): Heard {
    const memory = o.memory ?? new SoundMemory()
    const isEnglish = /^en\b/i.test(o.language ?? 'en')
    const perSecond = isEnglish ? TOKENS_PER_SECOND : TOKENS_PER_SECOND_OTHER
    const parts = cutIntoWindows(samples, LONGEST_SAMPLES).map((window, i): Recognition => {
      if (!window.some((sample) => Math.abs(sample) > SILENT)) return { text: '', noSpeech: 1 }
      const decoded = this.decoder.decode(this.encode(window), {
        prompt: [this.files.settings.start],
        startAt: 0,
        mostTokens: LEAST_TOKENS + Math.ceil((perSecond * window.length) / RATE_HZ),
        draft: memory.drafts[i] ?? [],
        isAborted: o.isAborted,
      })
      memory.drafts[i] = decoded.tokens
      const text = this.files.tokenizer.decode(decoded.tokens).trim()
      return { text, noSpeech: 0, logProbability: decoded.meanLogProbability }
    })
    // Each model knows one language, and no file of it says which: it is taken to be the one that is spoken.
    return { ...joinWindows(parts), fallback: null }
  }

  release(): void {
    this.sessions.release()
  }

  private encode(samples: Int16Array): Tensor {
    const session = this.sessions.encoder
    const values = new Float32Array(Math.max(SHORTEST_SAMPLES, samples.length))
    for (let i = 0; i < samples.length; i++) values[i] = (samples[i] as number) / 32768
    const sound = new Tensor('float32', values, [1, values.length])
    const type = floatTypeOf(session, 'input_values')
    const hidden = session.run({ input_values: toFloatType(sound, type) }).last_hidden_state
    if (hidden?.dims.length !== 3 || hidden.dims[2] !== this.files.settings.modelSize)
      throw new Error(
        `${nameOfEncoder(this.files)} gives ${hidden?.dims.join('×')}, not Moonshine's shape`,
      )
    return hidden
  }
}

/** Moonshine's decoder. */
export function createMoonshineDecoder(
  sessions: Pick<ModelSessions, 'decoder'>,
  { where, settings, decoder }: MoonshineFiles,
): Decoder {
  return createDecoder({
    open: createPasses(sessions.decoder, settings, nameOfDecoder(decoder, where)),
    shape: settings,
    end: settings.end,
    noSpeech: undefined,
    bans: bansOf({ ...settings, none: settings.vocabularySize }),
  })
}

function checkEncoder(session: Session, name: string): void {
  const [input] = session.inputs
  if (session.inputs.length !== 1 || input?.name !== 'input_values')
    throw new Error(`${name} is no Moonshine encoder: its input is not input_values`)
  if (!session.outputs.some((each) => each.name === 'last_hidden_state'))
    throw new Error(`${name} is no Moonshine encoder: it has no output last_hidden_state`)
}

function nameOfEncoder({ encoder, where }: MoonshineFiles): string {
  return nameOfFile(encoder, `${where}/onnx/encoder_model.onnx`)
}
