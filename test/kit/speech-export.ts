/** Directories with speech-to-text models of random weights, as the hub holds them. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  decoderGraph,
  encoderGraph,
  mergedDecoderGraph,
  type SpeechShape,
  type Stored,
} from './speech-graphs.ts'

interface AddedToken {
  id: number
  content: string
}

export interface TokenizerParts {
  vocab: Record<string, number>
  merges: unknown[]
}

const SUFFIX: Record<Stored, string> = {
  fp32: '',
  fp16: '_fp16',
  'all fp16': '_fp16',
  int8: '_quantized',
}

/** The demo's 959 pieces, then Whisper's special tokens. */
function demoTokenizer(): TokenizerParts {
  const path = join(import.meta.dirname, '../../models/demo/tokenizer.json')
  const { model } = JSON.parse(readFileSync(path, 'utf8')) as { model: TokenizerParts }
  return model
}

const LANGUAGES = ['en', 'de', 'fr', 'no', 'ja']

function specialTokens(first: number, isMultilingual: boolean, timestamps: number): AddedToken[] {
  const names = [
    'endoftext',
    'startoftranscript',
    ...(isMultilingual ? LANGUAGES : ['en']),
    'translate',
    'transcribe',
    'startoflm',
    'startofprev',
    'nospeech',
    'notimestamps',
    ...Array.from({ length: timestamps }, (_, i) => (i * 0.02).toFixed(2)),
  ]
  return names.map((name, i) => ({ id: first + i, content: `<|${name}|>` }))
}

export interface WhisperExport {
  /** Positions of the encoder's window, 20 ms each. */
  positions: number
  isMultilingual: boolean
  stored: Stored
  /** One decoder, or the two that it is merged from. */
  isMerged: boolean
  seed: number
  /** Measures that differ from the small ones. */
  shape?: Partial<SpeechShape>
  tokenizer?: TokenizerParts
  timestamps?: number
}

/** Writes a Whisper model. */
export function writeWhisper(dir: string, o: WhisperExport): void {
  const { vocab, merges } = o.tokenizer ?? demoTokenizer()
  const added = specialTokens(Object.keys(vocab).length, o.isMultilingual, o.timestamps ?? 20)
  const idOf = (name: string): number =>
    (added.find(({ content }) => content === `<|${name}|>`) as AddedToken).id
  const shape: SpeechShape = {
    size: 32,
    heads: 4,
    encoderLayers: 2,
    decoderLayers: 2,
    vocabulary: Object.keys(vocab).length + added.length,
    sourcePositions: o.positions,
    targetPositions: 96,
    melBands: 80,
    end: idOf('endoftext'),
    seed: o.seed,
    ...o.shape,
  }
  writeJson(dir, 'config.json', whisperConfig(shape))
  writeJson(dir, 'generation_config.json', {
    bos_token_id: shape.end,
    eos_token_id: shape.end,
    pad_token_id: shape.end,
    decoder_start_token_id: idOf('startoftranscript'),
    no_timestamps_token_id: idOf('notimestamps'),
    is_multilingual: o.isMultilingual,
    ...(o.isMultilingual && {
      lang_to_id: Object.fromEntries(LANGUAGES.map((code) => [`<|${code}|>`, idOf(code)])),
      task_to_id: { transcribe: idOf('transcribe'), translate: idOf('translate') },
    }),
    // Everything special but the end, and some ordinary ones.
    suppress_tokens: [1, 2, 7, ...added.map(({ id }) => id).filter((id) => id !== shape.end)],
    begin_suppress_tokens: [220, shape.end],
    max_length: shape.targetPositions,
    return_timestamps: false,
  })
  writeJson(dir, 'preprocessor_config.json', {
    feature_extractor_type: 'WhisperFeatureExtractor',
    processor_class: 'WhisperProcessor',
    chunk_length: (o.positions * 2) / 100,
    feature_size: shape.melBands,
    hop_length: 160,
    n_fft: 400,
    n_samples: o.positions * 320,
    nb_max_frames: o.positions * 2,
    padding_side: 'right',
    padding_value: 0,
    return_attention_mask: false,
    sampling_rate: 16_000,
  })
  writeTokenizer(dir, { vocab, merges, added, isWhisper: true })
  writeGraphs(dir, shape, o)
}

/** Writes a Moonshine model: SentencePiece's vocabulary with byte fallback, samples in place of features. */
export function writeMoonshine(
  dir: string,
  o: Omit<WhisperExport, 'positions' | 'isMultilingual'>,
): void {
  const bytes = Array.from(
    { length: 256 },
    (_, i) => `<0x${i.toString(16).toUpperCase().padStart(2, '0')}>`,
  )
  const syllables = 'ba ce di fo gu ka le mi no pu ra se ti vo wu'.split(' ')
  const words = syllables.flatMap((a) => syllables.map((b) => `▁${a}${b}`))
  const pieces = ['<unk>', '<s>', '</s>', ...bytes, '▁', ...syllables, ...words, '▁é', '日']
  const added = ['<unk>', '<s>', '</s>'].map((content, id) => ({ id, content }))
  const shape: SpeechShape = {
    size: 32,
    heads: 4,
    encoderLayers: 2,
    decoderLayers: 2,
    vocabulary: pieces.length,
    sourcePositions: null,
    targetPositions: 194,
    melBands: 0,
    end: 2,
    seed: o.seed,
    ...o.shape,
  }
  writeJson(dir, 'config.json', {
    architectures: ['MoonshineForConditionalGeneration'],
    model_type: 'moonshine',
    is_encoder_decoder: true,
    hidden_size: shape.size,
    intermediate_size: 4 * shape.size,
    encoder_num_hidden_layers: shape.encoderLayers,
    decoder_num_hidden_layers: shape.decoderLayers,
    encoder_num_attention_heads: shape.heads,
    decoder_num_attention_heads: shape.heads,
    encoder_num_key_value_heads: shape.heads,
    decoder_num_key_value_heads: shape.heads,
    vocab_size: shape.vocabulary,
    max_position_embeddings: shape.targetPositions,
    bos_token_id: 1,
    eos_token_id: 2,
    decoder_start_token_id: 1,
  })
  writeJson(dir, 'generation_config.json', {
    bos_token_id: 1,
    eos_token_id: 2,
    decoder_start_token_id: 1,
    max_length: shape.targetPositions,
  })
  writeJson(dir, 'preprocessor_config.json', {
    feature_extractor_type: 'MoonshineFeatureExtractor',
    processor_class: 'MoonshineProcessor',
    feature_size: 1,
    sampling_rate: 16_000,
    padding_value: 0,
    do_normalize: false,
  })
  const vocab = Object.fromEntries(pieces.map((piece, id) => [piece, id]))
  writeTokenizer(dir, { vocab, merges: [], added, isWhisper: false })
  writeGraphs(dir, shape, o)
}

function whisperConfig(shape: SpeechShape): object {
  return {
    architectures: ['WhisperForConditionalGeneration'],
    model_type: 'whisper',
    is_encoder_decoder: true,
    vocab_size: shape.vocabulary,
    d_model: shape.size,
    encoder_layers: shape.encoderLayers,
    decoder_layers: shape.decoderLayers,
    encoder_attention_heads: shape.heads,
    decoder_attention_heads: shape.heads,
    encoder_ffn_dim: 4 * shape.size,
    decoder_ffn_dim: 4 * shape.size,
    num_mel_bins: shape.melBands,
    max_source_positions: shape.sourcePositions,
    max_target_positions: shape.targetPositions,
    eos_token_id: shape.end,
  }
}

function writeTokenizer(
  dir: string,
  o: TokenizerParts & { added: AddedToken[]; isWhisper: boolean },
): void {
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false }
  const added_tokens = o.added.map((token) => ({ ...token, ...flags, special: true }))
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true }
  const sentencePiece = {
    type: 'Sequence',
    decoders: [
      { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
      { type: 'ByteFallback' },
      { type: 'Fuse' },
      { type: 'Strip', content: ' ', start: 1, stop: 0 },
    ],
  }
  writeJson(dir, 'tokenizer.json', {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens,
    normalizer: null,
    pre_tokenizer: o.isWhisper ? { ...byteLevel, use_regex: true } : null,
    post_processor: null,
    decoder: o.isWhisper ? { ...byteLevel, use_regex: true } : sentencePiece,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: o.isWhisper ? null : '<unk>',
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: !o.isWhisper,
      byte_fallback: !o.isWhisper,
      vocab: o.vocab,
      merges: o.merges,
    },
  })
  writeJson(dir, 'tokenizer_config.json', {
    tokenizer_class: o.isWhisper ? 'WhisperTokenizer' : 'PreTrainedTokenizerFast',
    clean_up_tokenization_spaces: false,
    model_max_length: 448,
  })
}

function writeGraphs(
  dir: string,
  shape: SpeechShape,
  o: { stored: Stored; isMerged: boolean },
): void {
  const write = (name: string, graph: Uint8Array): void =>
    writeFileSync(join(dir, 'onnx', `${name}${SUFFIX[o.stored]}.onnx`), graph)
  mkdirSync(join(dir, 'onnx'), { recursive: true })
  write('encoder_model', encoderGraph(shape, o.stored))
  if (o.isMerged) write('decoder_model_merged', mergedDecoderGraph(shape, o.stored))
  else {
    write('decoder_model', decoderGraph(shape, o.stored, false))
    write('decoder_with_past_model', decoderGraph(shape, o.stored, true))
  }
}

function writeJson(dir: string, name: string, content: object): void {
  mkdirSync(dir, { recursive: true })
  writeFileSync(join(dir, name), JSON.stringify(content))
}
