/** Models of voices with random weights in the hub's layouts: true inputs and outputs, a noise for a voice. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { attribute, elements, model, node, tensor, value } from './onnx-writer.ts'
import { randomSource } from './seeded.ts'

/** Tokens that Kokoro's model knows. */
const KOKORO_TOKENS = 178
const PIPER_SYMBOLS = 256
/** Samples that a token sounds for: 25 ms at 24 kHz, like speech of 10 to 15 sounds a second with its stresses. */
const TOKEN_SAMPLES = 600
/** A letter each for what the models are told, in no particular order. */
const PHONES = [
  ...';:,.!?—…"() ',
  ...'abcdefhijklmnopqrstuvwxyz',
  ...'ɑɐɒæβɔɕçɖðʤəɚɛɜɟɡɥɨɪʝɯɰŋɳɲɴøɸθœɹɾɻʁɽʂʃʈʧʊʋʌɣɤχʎʒʔˈˌːʰʲᵊᵻʣʥʦʨAIOQSTWY',
]

function put(dir: string, name: string, content: Uint8Array | string): void {
  const path = join(dir, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
}

function noise(count: number, size: number, seed: number): Float32Array<ArrayBuffer> {
  const random = randomSource(seed)
  return Float32Array.from({ length: count }, () => (random() - 0.5) * 2 * size)
}

/** A directory as `onnx-community/Kokoro-82M-v1.0-ONNX` lays it out. */
export function writeKokoroModel(dir: string, voices: readonly string[] = ['af_heart']): void {
  put(dir, 'config.json', '{\n  "model_type": "style_text_to_speech_2"\n}')
  const vocab = Object.fromEntries(['$', ...PHONES].map((phone, id) => [phone, id]))
  put(dir, 'tokenizer.json', JSON.stringify({ version: '1.0', model: { vocab } }))
  put(dir, 'onnx/model.onnx', kokoroGraph())
  for (const [i, voice] of voices.entries()) {
    const styles = noise(510 * 256, 0.02, i + 1)
    put(dir, `voices/${voice}.bin`, new Uint8Array(styles.buffer))
  }
}

/** Each token's row of samples and the style's, at the speed. */
function kokoroGraph(): Uint8Array {
  return model({
    inputs: [
      value('input_ids', elements.int64, [1, 'sequence_length']),
      value('style', elements.float, [1, 256]),
      value('speed', elements.float, [1]),
    ],
    outputs: [value('waveform', elements.float, [1, 'num_samples'])],
    constants: [
      tensor(
        'tokens',
        [KOKORO_TOKENS, TOKEN_SAMPLES],
        noise(KOKORO_TOKENS * TOKEN_SAMPLES, 0.2, 7),
      ),
      tensor('manner', [256, TOKEN_SAMPLES], noise(256 * TOKEN_SAMPLES, 0.2, 8)),
      tensor('flat', [2], BigInt64Array.of(1n, -1n)),
    ],
    nodes: [
      node('Gather', ['tokens', 'input_ids'], ['rows']),
      node('MatMul', ['style', 'manner'], ['styled']),
      node('Add', ['rows', 'styled'], ['sum']),
      node('Div', ['sum', 'speed'], ['timed']),
      node('Tanh', ['timed'], ['loud']),
      node('Reshape', ['loud', 'flat'], ['waveform']),
    ],
  })
}

export interface PiperOptions {
  language?: string
  espeakVoice?: string
  speakers?: number
  phonemeType?: 'espeak' | 'text'
}

/** `NAME.onnx` and `NAME.onnx.json` as `rhasspy/piper-voices` has them. */
export function writePiperVoice(dir: string, name: string, o: PiperOptions = {}): void {
  const speakers = o.speakers ?? 1
  const map = Object.fromEntries(['_', '^', '$', ...PHONES].map((phone, id) => [phone, [id]]))
  const config = {
    audio: { sample_rate: 22_050, quality: 'medium' },
    espeak: { voice: o.espeakVoice ?? 'en-us' },
    language: { code: o.language ?? 'en_US', family: 'en' },
    inference: { noise_scale: 0.667, length_scale: 1, noise_w: 0.8 },
    phoneme_type: o.phonemeType ?? 'espeak',
    num_symbols: PIPER_SYMBOLS,
    num_speakers: speakers,
    speaker_id_map: speakers > 1 ? { ann: 0, bob: 1 } : {},
    phoneme_id_map: map,
  }
  put(dir, `${name}.onnx.json`, JSON.stringify(config))
  put(dir, `${name}.onnx`, piperGraph(speakers))
}

/** Each id's row of samples, less loud by the first scale, and the speaker's. */
function piperGraph(speakers: number): Uint8Array {
  const several = speakers > 1
  const rows = several ? 'voiced' : 'rows'
  const quarter = TOKEN_SAMPLES / 2
  return model({
    inputs: [
      value('input', elements.int64, ['batch_size', 'phonemes']),
      value('input_lengths', elements.int64, ['batch_size']),
      value('scales', elements.float, [3]),
      ...(several ? [value('sid', elements.int64, ['batch_size'])] : []),
    ],
    outputs: [value('output', elements.float, ['batch_size', 1, 1, 'time'])],
    constants: [
      tensor('symbols', [PIPER_SYMBOLS, quarter], noise(PIPER_SYMBOLS * quarter, 0.2, 9)),
      tensor('speakers', [speakers, quarter], noise(speakers * quarter, 0.2, 10)),
      tensor('which', [], BigInt64Array.of(0n)),
      tensor('flat', [4], BigInt64Array.of(1n, 1n, 1n, -1n)),
    ],
    nodes: [
      node('Gather', ['symbols', 'input'], ['rows']),
      ...(several
        ? [
            node('Gather', ['speakers', 'sid'], ['speaker']),
            node('Add', ['rows', 'speaker'], ['voiced']),
          ]
        : []),
      node('Gather', ['scales', 'which'], ['noise'], [attribute('axis', 0)]),
      node('Mul', [rows, 'noise'], ['timed']),
      node('Reshape', ['timed', 'flat'], ['output']),
    ],
  })
}
