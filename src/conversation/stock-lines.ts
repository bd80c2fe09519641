/** Sentences that need no model. */
import { primaryLanguage } from '../calls/voice-choice.ts'
import type { Clock } from '../core/clock.ts'
import type { Voice } from './ports.ts'
import { type Clip, synthesise } from './recital.ts'
import { STOCK_WORDS } from './stock-words.ts'

const FILLERS = ['filler_1', 'filler_2', 'filler_3'] as const

const LINES = {
  filler_1: 'One moment, please.',
  filler_2: 'Just a second.',
  filler_3: 'Let me see.',
  ask: 'Are you still there?',
  ask_again: 'Hello, are you still there?',
  transfer: "I'll put you through now. One moment, please.",
  repeat: 'Sorry, could you say that again?',
  silence_goodbye: "I can't hear you, so I'll hang up now. Goodbye.",
  max_duration: 'I have to end the call now. Thank you, goodbye.',
  shutdown: "I'm sorry, I have to end the call now. Goodbye.",
  out_of_balance: "I'm sorry, I have to end the call now. Goodbye.",
  apology: "I'm sorry, I'm having technical trouble and have to hang up. Goodbye.",
} as const

export type LineName = keyof typeof LINES

/** What a line says in a language (a BCP 47 tag); in English where nobody has put it into that language. */
export function lineText(name: LineName, language = 'en'): string {
  return STOCK_WORDS[primaryLanguage(language)]?.[name] ?? LINES[name]
}

/** Fillers take turns. */
export function fillerLine(count: number): LineName {
  return FILLERS[count % FILLERS.length] ?? 'filler_1'
}

/** Fillers are no part of what the agent said: the model need not know of them. */
export function isFiller(name: LineName): boolean {
  return (FILLERS as readonly LineName[]).includes(name)
}

/** The stock lines as sound, made once for all calls. */
export interface StockLines {
  text(name: LineName): string
  /** Makes all that is missing, one after the other; what fails is tried again with the next call. */
  prepare(rateHz: number, signal: AbortSignal): Promise<void>
  /** The sound of a line if it is made already. */
  ready(name: LineName, rateHz: number): Clip[] | null
  /** The sound of a line, made when it is not. Throws what the voice throws. */
  make(name: LineName, rateHz: number, signal: AbortSignal): Promise<Clip[]>
}

export function createStockLines(o: { voice: Voice; clock: Clock; language?: string }): StockLines {
  const made = new Map<string, Clip[]>()
  /** Being made for a call now; others wait for it instead of asking the voice for the same. */
  const making = new Map<string, Promise<Clip[]>>()
  const keyOf = (name: LineName, rateHz: number): string => `${rateHz} ${LINES[name]}`
  const text = (name: LineName): string => lineText(name, o.language)

  async function make(
    name: LineName,
    rateHz: number,
    signal: AbortSignal,
    ahead = false,
  ): Promise<Clip[]> {
    const key = keyOf(name, rateHz)
    // Whoever makes it may be gone before it is made: then it is made here.
    for (let other = making.get(key); other; other = making.get(key))
      await other.catch(() => undefined)
    const known = made.get(key)
    if (known) return known
    const work = synthesise(o, { text: text(name), rateHz, signal, ahead })
    making.set(key, work)
    try {
      const clips = await work
      made.set(key, clips)
      return clips
    } finally {
      making.delete(key)
    }
  }

  return {
    async prepare(rateHz, signal) {
      for (const name of Object.keys(LINES) as LineName[]) {
        if (signal.aborted) return
        await make(name, rateHz, signal, true).catch(() => undefined)
      }
    },
    ready: (name, rateHz) => made.get(keyOf(name, rateHz)) ?? null,
    make: (name, rateHz, signal) => make(name, rateHz, signal),
    text,
  }
}
