/** The voice as the configuration names it: its engine, else the server that it names, else the best that is installed. */
import type { Config } from './config/config.ts'
import { ConfigError } from './config/config-error.ts'
import type { Voice } from './conversation/ports.ts'
import type { Part } from './core/lifecycle.ts'
import type { EngineDeps } from './engines.ts'
import { createFliteVoice } from './inference/flite/flite-voice.ts'
import { FLITE_VOICES, type FliteVoiceName } from './inference/flite/synthesis.ts'
import { createOpenAiVoice } from './inference/openai/speech-voice.ts'
import { findEspeak } from './inference/voices/espeak.ts'
import { findVoices, type OnnxEngine } from './inference/voices/installed-voices.ts'
import { createOnnxVoice } from './inference/voices/onnx-voice.ts'

type Tts = Config['speech']['tts']

/** Best first. */
const BEST_FIRST = ['kokoro', 'piper'] as const

export function createVoice(config: Config, d: EngineDeps): Voice & Part {
  const { tts } = config.speech
  if (tts.engine !== null) return createNamed(tts.engine, config, d)
  if (tts.url !== null) return createNamed('openai', config, d)
  const { engine, passedOver } = bestInstalled(config, d)
  const voice = createNamed(engine, config, d)
  if (passedOver === null) return voice
  return {
    ...voice,
    async probe() {
      const probe = await voice.probe()
      return {
        ...probe,
        reason: `${probe.reason ?? probe.state}; better, but not used: ${passedOver}`,
      }
    },
  }
}

function createNamed(
  engine: NonNullable<Tts['engine']>,
  config: Config,
  d: EngineDeps,
): Voice & Part {
  const { tts } = config.speech
  switch (engine) {
    case 'flite':
      return createFliteVoice({ ...d, voice: fliteVoice(tts.voice) })
    case 'openai':
      return createOpenAiVoice({
        clock: d.clock,
        url: tts.url ?? '',
        model: tts.model ?? 'tts-1',
        voice: tts.voice ?? 'alloy',
        apiKey: tts.apiKey ?? undefined,
      })
    default: {
      const { model, voice } = tts
      return createOnnxVoice({ ...d, dataDir: config.dataDir, engine, model, voice })
    }
  }
}

/**
 * Kokoro before Piper before Flite: the first that has the voice and the model that are named, if any are. `passedOver`:
 * what is wrong with a better one.
 */
function bestInstalled(
  { dataDir, speech: { tts } }: Config,
  d: EngineDeps,
): { engine: OnnxEngine | 'flite'; passedOver: string | null } {
  const hasEspeak = findEspeak() !== null
  let passedOver: string | null = null
  for (const engine of BEST_FIRST) {
    const found = findVoices(dataDir, { engine, model: tts.model, hasEspeak })
    if (isWanted(found.voices, tts)) return { engine, passedOver }
    for (const reason of found.faults) {
      d.log.warn('voice model not used', { engine, reason })
      // Probes are shown without a key: no path of this machine.
      passedOver ??= reason.replaceAll(`${dataDir}/`, '')
    }
  }
  if (tts.model !== null)
    throw new ConfigError(
      `speech.tts.model = "${tts.model}": no voice of Kokoro or Piper is installed under that name`,
    )
  return { engine: 'flite', passedOver }
}

function isWanted(voices: readonly { id: string }[], { voice }: Tts): boolean {
  return voice === null ? voices.length > 0 : voices.some(({ id }) => id === voice)
}

function fliteVoice(name: string | null): FliteVoiceName {
  const wanted = name ?? 'slt'
  const found = FLITE_VOICES.find((voice) => voice === wanted)
  if (found === undefined)
    throw new ConfigError(
      `speech.tts.voice = "${wanted}": Flite has no such voice; it has ${FLITE_VOICES.join(', ')}`,
    )
  return found
}
