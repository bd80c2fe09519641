/** How soon the agent answers, how often it cuts in on a pause, and how soon it gives way. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openRuntime, type Session } from '../src/inference/onnx/runtime.ts'
import { randomSource } from '../test/kit/seeded.ts'
import { callsWithBargeIns } from './barge-in.ts'
import { fixedSilence } from './fixed-silence.ts'
import { markedTurns } from './held-out.ts'
import { HELD_OUT_LANGUAGES } from './held-out-languages.ts'
import { HELD_OUT } from './held-out-texts.ts'
import { inDirectory } from './program.ts'
import { type Figure, figure } from './report.ts'
import { callWithTurn, type HeardTurn } from './turn-call.ts'
import { createSpeaker, type TurnSound } from './turn-sound.ts'
import { type TurnKind, type TurnText, turnTexts } from './turn-texts.ts'

const TURNS = 300
const SEED = 4
const SILENCES_MS = [200, 300, 500, 700]
const DELAYS = { recogniseMs: 60, firstClauseMs: 120, firstSoundMs: 80 }
const ENGINES_MS = DELAYS.recogniseMs + DELAYS.firstClauseMs + DELAYS.firstSoundMs
/** Speech of this length pauses the agent. */
const SPEECH_MS = 64
/** Silence of this length is a pause. */
const HUSH_MS = 60
const MODEL = join(import.meta.dirname, '../models/silero_vad.onnx')

/** How recognisers write: with capitals and stops, or the words alone. */
const WRITTEN = (text: string): string => text
const BARE = (text: string): string => text.toLowerCase().replace(/[.,?!¿¡]/g, '')

interface Judged {
  kind: TurnKind
  /** From the turn's end to the agent's first sound, ms; negative when it came within the turn. */
  gap: number
  early: boolean
  /** The agent came when no sentence had ended. */
  inMidSentence: boolean
  /** The human paused where no sentence ends. */
  pausesInMidSentence: boolean
}

export async function benchTurns(): Promise<Figure[]> {
  const simulated = await inDirectory(async (directory) => {
    const session = openRuntime(directory).createSession(readFileSync(MODEL))
    const heldOut = await hearAll(session, markedTurns(HELD_OUT, SEED))
    const foreign = await hearAll(session, markedTurns(HELD_OUT_LANGUAGES, SEED))
    return [
      ...simulatedFigures(await hearAll(session, turnTexts(SEED, TURNS))),
      ...heldOutFigures('held-out turns', heldOut, true),
      ...heldOutFigures('held-out German, French, Spanish', foreign, false),
    ]
  })
  const wire = await callsWithBargeIns(DELAYS)
  return [...simulated, ...wireFigures(wire)]
}

interface HeardTurns {
  sounds: TurnSound[]
  texts: TurnText[]
  written: HeardTurn[]
  bare: HeardTurn[]
}

async function hearAll(session: Session, texts: TurnText[]): Promise<HeardTurns> {
  const speak = await createSpeaker()
  const random = randomSource(SEED)
  const all: HeardTurns = { sounds: [], texts, written: [], bare: [] }
  for (const text of texts) {
    const sound = speak(text, random)
    const o = { session, asked: text.asked, sound, delays: DELAYS, random }
    all.sounds.push(sound)
    all.written.push(await callWithTurn({ ...o, written: WRITTEN }))
    all.bare.push(await callWithTurn({ ...o, written: BARE }))
    if (all.sounds.length % 50 === 0) process.stderr.write('.')
  }
  return all
}

function simulatedFigures({ sounds, texts, written, bare }: HeardTurns): Figure[] {
  const judged = (heard: readonly HeardTurn[], firstSound: (turn: HeardTurn) => number): Judged[] =>
    heard.map((turn, i) => judge(turn, firstSound(turn), sounds[i], texts[i]))
  const own = (turn: HeardTurn): number => turn.firstSound
  const byText = judged(written, own)
  const random = randomSource(SEED)
  const fixed = SILENCES_MS.map((silenceMs) => ({
    silenceMs,
    turns: judged(written, (turn) =>
      fixedSilence(turn, { silenceMs, enginesMs: ENGINES_MS, random }),
    ),
  }))
  return [
    ...figuresOf('by the text', byText, true),
    ...figuresOf('by words without stops and capitals', judged(bare, own), false),
    ...fixed.flatMap(({ silenceMs, turns }) =>
      figuresOf(`fixed silence of ${silenceMs} ms`, turns, false),
    ),
  ]
}

function heldOutFigures(
  what: string,
  { sounds, texts, written, bare }: HeardTurns,
  isHeldTo: boolean,
): Figure[] {
  const judged = (heard: readonly HeardTurn[]): Judged[] =>
    heard.map((turn, i) => judge(turn, turn.firstSound, sounds[i], texts[i]))
  return [
    ...figuresOf(`${what}, by the text`, judged(written), isHeldTo),
    ...figuresOf(`${what}, by words alone`, judged(bare), false),
  ]
}

function judge(
  turn: HeardTurn,
  firstSound: number,
  sound: TurnSound | undefined,
  text: TurnText | undefined,
): Judged {
  const stretches = sound?.stretches ?? []
  const before = turn.pieceEnds.findLastIndex((end) => end <= firstSound)
  const early = firstSound < turn.end
  return {
    kind: text?.kind ?? 'sentence',
    gap: firstSound - turn.end,
    early,
    inMidSentence: early && stretches[before]?.whole !== true,
    pausesInMidSentence: stretches.slice(0, -1).some(({ whole }) => !whole),
  }
}

/** Gaps are of the turns in which the agent did not cut in. */
function figuresOf(how: string, turns: readonly Judged[], isHeldTo: boolean): Figure[] {
  const answered = turns.filter(({ early }) => !early)
  const unfinished = turns.filter(({ pausesInMidSentence }) => pausesInMidSentence)
  const shared = { control: null, discarded: 0 }
  const gapOf = (kind: TurnKind): number[] =>
    answered.filter((turn) => turn.kind === kind).map(({ gap }) => gap)
  const gap = (what: string, ours: readonly number[], target?: number): Figure =>
    figure({
      ...shared,
      metric: `response gap, ${what}`,
      unit: 'ms',
      ours,
      ...(target !== undefined && { target: { of: 'p50', atMost: target } }),
    })
  const cuts = (what: string, of: readonly Judged[], some: number, target: number): Figure => ({
    ...figure({
      ...shared,
      metric: `agent cuts in, ${what}`,
      unit: `% of ${of.length} turns`,
      ours: [(100 * some) / of.length],
      ...(isHeldTo && { target: { of: 'p50', atMost: target } }),
    }),
    n: of.length,
  })
  const kinds: TurnKind[] = ['sentence', 'answer', 'dictation']
  return [
    gap(
      how,
      answered.map(({ gap }) => gap),
      isHeldTo ? 340 : undefined,
    ),
    ...(isHeldTo ? kinds.map((kind) => gap(`of them: ${kind}`, gapOf(kind))) : []),
    cuts(
      `${how}, in mid-sentence`,
      unfinished,
      unfinished.filter(({ inMidSentence }) => inMidSentence).length,
      2,
    ),
    cuts(`${how}, over all`, turns, turns.length - answered.length, 10),
  ]
}

function wireFigures({ gaps, bargeIns }: Awaited<ReturnType<typeof callsWithBargeIns>>): Figure[] {
  const shared = { unit: 'ms', discarded: 0 }
  return [
    figure({
      ...shared,
      metric: 'response gap of whole calls, after a question',
      ours: gaps,
      control: {
        what: 'engines and the silence that starts them',
        samples: [ENGINES_MS + HUSH_MS],
      },
      target: { of: 'p50', atMost: 340 },
    }),
    figure({
      ...shared,
      metric: 'barge-in of whole calls: first speech sent to last sound heard',
      ours: bargeIns,
      control: { what: 'speech that it takes', samples: [SPEECH_MS] },
      target: { of: 'p50', atMost: 100 },
    }),
  ]
}
