import type { Leg } from '../calls/ports.ts'
import type { SpeechDetector, Voice } from '../conversation/ports.ts'
import { type Clock, sleep } from '../core/clock.ts'
import type { Dialogue, Step } from './dialogue.ts'

export interface CalleeDeps {
  clock: Clock
  speech: SpeechDetector
  voice: Voice
  dialogue: Dialogue
  /** Answers and never says a word; stays until the other side hangs up. */
  mute: boolean
}

/** A person at the other end of a call: speaks its lines, waits by its own ears until the other side has finished. */
export function createCallee(d: CalleeDeps): { answer(leg: Leg): Promise<void> } {
  return {
    async answer(leg) {
      const over = new AbortController()
      void leg.ended.then(() => over.abort())
      const ears = createEars(d, leg)
      let begun: Promise<void> = Promise.resolve()
      const say = (text: string): Promise<void> => {
        ears.forget()
        begun = speak(d, leg, text, over.signal)
        return begun
      }
      try {
        const steps = d.mute ? [] : d.dialogue.steps
        for (const step of steps) {
          if (over.signal.aborted) return
          if (step.step === 'begin') void say(step.text).catch(() => undefined)
          else if (step.step === 'say') await say(step.text)
          else if (!(await wait(d, ears, step, over.signal))) break
        }
        if (d.mute) await leg.ended
        await leg.hangup()
        await begun
      } finally {
        ears.close()
      }
    },
  }
}

/** False when the callee gives the call up. */
async function wait(
  d: CalleeDeps,
  ears: Ears,
  step: Exclude<Step, { text: string }>,
  over: AbortSignal,
): Promise<boolean> {
  switch (step.step) {
    case 'listen':
      return ears.turnEnded(step.limitMs, over)
    case 'wait':
      await sleep(d.clock, step.ms, over)
      return true
    case 'hang up':
      return false
  }
}

async function speak(d: CalleeDeps, leg: Leg, text: string, signal: AbortSignal): Promise<void> {
  let last: Promise<unknown> = Promise.resolve()
  try {
    for await (const clip of d.voice.speak({ text, rateHz: leg.ears.rateHz, signal }))
      last = leg.mouth.enqueue(clip).ended
  } catch (error) {
    if (!signal.aborted) throw error
  }
  await last
}

interface Ears {
  /** What was heard until now does not count as an answer to what is said next. */
  forget(): void
  /** True when the other side has spoken and been silent for the callee's patience; false after `limitMs`. */
  turnEnded(limitMs: number, over: AbortSignal): Promise<boolean>
  close(): void
}

function createEars(d: CalleeDeps, leg: Leg): Ears {
  let speaking = false
  let heard = false
  let silentSince = d.clock.steady()
  const stop = d.speech.watch(leg.ears, (event) => {
    speaking = event.type !== 'speech_paused'
    heard = true
    if (!speaking) silentSince = d.clock.steady()
  })
  return {
    forget() {
      heard = speaking
    },
    async turnEnded(limitMs, over) {
      const giveUpAt = d.clock.steady() + limitMs
      while (!over.aborted) {
        const now = d.clock.steady()
        if (heard && !speaking && now - silentSince >= d.dialogue.patienceMs) return true
        if (!heard && now >= giveUpAt) return false
        await sleep(d.clock, 20, over)
      }
      return false
    },
    close: stop,
  }
}
