import { readFileSync } from 'node:fs'
import config from '../../../models/demo/config.json'
import generation from '../../../models/demo/generation_config.json'
import decoderPath from '../../../models/demo/onnx/decoder_model_merged.onnx' with { type: 'file' }
import encoderPath from '../../../models/demo/onnx/encoder_model.onnx' with { type: 'file' }
import preprocessor from '../../../models/demo/preprocessor_config.json'
import tokenizer from '../../../models/demo/tokenizer.json'
import type { ModelSource } from './model-files.ts'

/** The embedded demo model: it knows a demo's sentences in synthetic voices and nothing else. */
export function demoSource(): ModelSource {
  const json: Record<string, unknown> = {
    'config.json': config,
    'generation_config.json': generation,
    'preprocessor_config.json': preprocessor,
    'tokenizer.json': tokenizer,
  }
  const onnx: Record<string, string> = {
    'onnx/encoder_model': encoderPath,
    'onnx/decoder_model_merged': decoderPath,
  }
  return {
    where: 'the demo model',
    json: (name) => json[name],
    onnx: (name) => readFileSync(onnx[name] ?? name),
    hasOnnx: (name) => name in onnx,
  }
}
