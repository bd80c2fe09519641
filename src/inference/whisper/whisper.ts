import type { Recognition } from '../../conversation/ports.ts'
import type { Runtime } from '../onnx/runtime.ts'
import { cutIntoWindows } from './cuts.ts'
import { createDecoder } from './decoder.ts'
import { createEncoder } from './encoder.ts'
import { WHISPER_RATE_HZ } from './mel.ts'
import type { WhisperFiles } from './model-files.ts'
import type { WhisperSettings } from './settings.ts'

/** A loaded Whisper model. */
export interface Whisper {
  /** Text of 16-bit samples at 16 kHz, of any length. Throws AbortError when `isAborted` says so between steps. */
  recognise(samples: Int16Array, o: { language: string; isAborted: () => boolean }): Recognition
  release(): void
}

/** OpenAI's rule for its own decoder: this sure that there is no speech, and this unsure of the words. */
const NO_SPEECH_PROBABILITY = 0.6
const NO_SPEECH_LOG_PROBABILITY = -1
/** Nobody speaks as fast; what comes faster is made up. */
const TOKENS_PER_SECOND = 15
const LEAST_TOKENS = 16

/** Loads a model; `threads` work on one recognition. Throws an Error that names the file that does not fit. */
export function loadWhisper(
  runtime: Runtime,
  files: WhisperFiles,
  o: { threads: number },
): Whisper {
  const encoderSession = runtime.createSession(files.encoder, o)
  const decoderSession = runtime.createSession(files.decoder, o)
  const encoder = createEncoder(encoderSession, files)
  const decoder = createDecoder(decoderSession, files)

  function recogniseWindow(
    samples: Int16Array,
    prompt: readonly number[],
    isAborted: () => boolean,
  ): Recognition {
    const seconds = samples.length / WHISPER_RATE_HZ
    const decoded = decoder.decode(encoder.encode(samples), {
      prompt,
      mostTokens: LEAST_TOKENS + Math.ceil(TOKENS_PER_SECOND * seconds),
      isAborted,
    })
    const isSilence =
      decoded.noSpeech > NO_SPEECH_PROBABILITY &&
      decoded.meanLogProbability < NO_SPEECH_LOG_PROBABILITY
    const text = isSilence ? '' : files.tokenizer.decode(decoded.tokens).trim()
    return { text, noSpeech: decoded.noSpeech }
  }

  return {
    recognise(samples, { language, isAborted }) {
      const prompt = promptFor(language, files.settings)
      const parts = cutIntoWindows(samples, encoder.longestSamples).map((window) =>
        recogniseWindow(window, prompt, isAborted),
      )
      const text = parts.map((part) => part.text).filter((part) => part !== '')
      return { text: text.join(' '), noSpeech: Math.min(...parts.map((part) => part.noSpeech)) }
    },
    release() {
      encoderSession.release()
      decoderSession.release()
    },
  }
}

/**
 * What a model is told before it writes: start, then language and task where it knows several, then no timestamps.
 * Throws an Error when the model does not know the language (a BCP 47 tag; only its first part counts).
 */
export function promptFor(language: string, { tokens }: WhisperSettings): number[] {
  const code = language.toLowerCase().split('-')[0] ?? ''
  if (tokens.languages.size === 0) {
    if (code !== 'en')
      throw new Error(`the speech-to-text model hears English only, not '${language}'`)
    return [tokens.start, tokens.noTimestamps]
  }
  const spoken = tokens.languages.get(code)
  if (spoken === undefined) throw new Error(`the speech-to-text model does not know '${language}'`)
  const task = tokens.transcribe === undefined ? [] : [tokens.transcribe]
  return [tokens.start, spoken, ...task, tokens.noTimestamps]
}
