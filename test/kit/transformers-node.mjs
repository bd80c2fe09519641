// Runs under Node: asks @huggingface/transformers what it makes of sounds and texts. Reads a list of jobs from the file
// that is named, writes its answers beside it.
import { readFileSync, writeFileSync } from 'node:fs'
import {
  AutoModelForSpeechSeq2Seq,
  AutoProcessor,
  AutoTokenizer,
  env,
  LogLevel,
  Tensor,
} from '@huggingface/transformers'

env.allowRemoteModels = false
env.allowLocalModels = true
env.logLevel = LogLevel?.ERROR ?? 40

const path = process.argv[2]

function readSound(file) {
  const bytes = readFileSync(file)
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))
}

/** Whisper's prompt of earlier text, as its own processor makes it. */
function withEarlier(model, tokenizer, { language, prompt, most }) {
  const config = model._prepare_generation_config(null, language ? { language } : {})
  const start = model._retrieve_init_tokens(config)
  const [previous] = tokenizer.encode('<|startofprev|>', { add_special_tokens: false })
  const ids = tokenizer.encode(` ${prompt.trim()}`, { add_special_tokens: false })
  const all = [previous, ...ids.slice(-most), ...start]
  return new Tensor('int64', BigInt64Array.from(all, BigInt), [1, all.length])
}

async function answer({ dir, dtype, sounds, texts = [], tokens = [] }) {
  // One thread adds in the same order as ours.
  const session_options = { intraOpNumThreads: 1, interOpNumThreads: 1 }
  const options = { dtype, device: 'cpu', local_files_only: true, session_options }
  const tokenizer = await AutoTokenizer.from_pretrained(dir, options)
  const processor = await AutoProcessor.from_pretrained(dir, options)
  const model = await AutoModelForSpeechSeq2Seq.from_pretrained(dir, options)
  const isWhisper = model.config.model_type === 'whisper'
  const heard = []
  for (const { file, language, mostTokens, prompt, most, featuresTo } of sounds) {
    const begun = performance.now()
    const inputs = await processor(readSound(file))
    if (featuresTo) writeFileSync(featuresTo, Buffer.from(inputs.input_features.data.buffer))
    const chosen = isWhisper && language ? { language } : {}
    const earlier = prompt
      ? { decoder_input_ids: withEarlier(model, tokenizer, { language, prompt, most }) }
      : {}
    // It goes on past what the decoder can hold; ours does not.
    const places = model.config.max_target_positions ?? Number.POSITIVE_INFINITY
    const left = places - (earlier.decoder_input_ids?.dims[1] ?? 0)
    const limit = Math.min(mostTokens, left)
    const out = await model.generate({ ...inputs, ...chosen, ...earlier, max_new_tokens: limit })
    const ids = Array.from(out.data, Number)
    heard.push({
      ids,
      text: tokenizer.decode(ids, { skip_special_tokens: true }),
      ms: performance.now() - begun,
    })
  }
  return {
    heard,
    encoded: texts.map((text) => tokenizer.encode(text, { add_special_tokens: false })),
    decoded: tokens.map((ids) => tokenizer.decode(ids, { skip_special_tokens: true })),
  }
}

const answers = []
for (const job of JSON.parse(readFileSync(path, 'utf8'))) answers.push(await answer(job))
writeFileSync(`${path}.answers`, JSON.stringify(answers))
