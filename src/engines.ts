/** The real engines, as the configuration names them. Nothing is loaded before it is needed. */
import { basename } from 'node:path'
import type { Config } from './config/config.ts'
import { ConfigError } from './config/config-error.ts'
import type { Engines, LanguageModel, Recogniser } from './conversation/ports.ts'
import type { Clock } from './core/clock.ts'
import { reasonOf } from './core/errors.ts'
import type { Part } from './core/lifecycle.ts'
import type { Log } from './core/log.ts'
import { expecting } from './inference/expected-words.ts'
import { type Dialogue, readDialogueFile } from './inference/llm/dialogue-file.ts'
import { createOllamaModel } from './inference/llm/ollama-model.ts'
import { createScriptedModel } from './inference/llm/scripted-model.ts'
import { createOpenAiChatModel } from './inference/openai/chat-model.ts'
import { createOpenAiTranscriber } from './inference/openai/transcriber.ts'
import { createTurnModel } from './inference/smart-turn/turn-model.ts'
import { isSmartTurnInstalled } from './inference/smart-turn/turn-net.ts'
import { createSpeechDetector } from './inference/speech-detector/worker-detector.ts'
import { createWhisperRecogniser } from './inference/whisper/whisper-recogniser.ts'
import { createVoice } from './voice-engine.ts'

export interface EngineDeps {
  clock: Clock
  log: Log
}

export function createEngines(
  config: Config,
  d: EngineDeps,
): { engines: Engines; parts: readonly Part[] } {
  const speech = createSpeechDetector({ ...d, dataDir: config.dataDir })
  const { prompt } = config.speech.stt
  const plain = createRecogniser(config, d)
  const recogniser = prompt === null ? plain : expecting(plain, prompt)
  const voice = createVoice(config, d)
  const model = createModel(config, d)
  const parts = [speech, recogniser, voice]
  const engines = { speech, recogniser, voice, model }
  if (!isSmartTurnInstalled(config.dataDir)) return { engines, parts }
  const turns = createTurnModel({ ...d, dataDir: config.dataDir })
  return { engines: { ...engines, turns }, parts: [...parts, turns] }
}

function createRecogniser(config: Config, d: EngineDeps): Recogniser & Part {
  const { engine, model, url, apiKey } = config.speech.stt
  if (engine === 'whisper') {
    const { dataDir } = config
    return createWhisperRecogniser({ ...d, dataDir, model, device: config.speech.device })
  }
  return createOpenAiTranscriber({
    ...d,
    url: url ?? '',
    model: model ?? 'whisper-1',
    apiKey: apiKey ?? undefined,
  })
}

function createModel(config: Config, d: EngineDeps): LanguageModel {
  const { llm } = config
  if (llm.engine === 'scripted') {
    const file = llm.script ?? ''
    return createScriptedModel({
      dialogue: readScript(file),
      // Probes are shown without a key: no path of this machine.
      name: basename(file),
      log: d.log,
    })
  }
  const options = {
    ...d,
    url: llm.url,
    model: llm.model ?? '',
    apiKey: llm.apiKey ?? undefined,
    contextTokens: llm.contextTokens ?? undefined,
  }
  return llm.engine === 'openai' ? createOpenAiChatModel(options) : createOllamaModel(options)
}

/** A dialogue that cannot be followed is a mistake in the configuration. */
function readScript(file: string): Dialogue {
  try {
    return readDialogueFile(file)
  } catch (error) {
    throw new ConfigError(`llm.script = ${JSON.stringify(file)}: ${reasonOf(error)}`)
  }
}
