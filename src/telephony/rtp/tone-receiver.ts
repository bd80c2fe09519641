import { COLUMNS_HZ, KEYPAD, ROWS_HZ } from './dtmf.ts'

/**
 * ITU-T Q.24: tones of 40 ms are keys, and are at least two blocks of this length in whole; those of 15 ms, which are no
 * keys, are one at most. What lies between may be either.
 */
const BLOCK_MS = 12.75
const BLOCKS_FOR_KEY = 2
/** So many blocks that the key's tones do not fill end it, as a gap of 40 ms has; gaps of 10 ms are one press. */
const BLOCKS_FOR_END = 3
/** The tone of a column may be so much stronger than that of its row (twist), and the other way round, in dB. */
const MOST_TWIST_DB = 9
const MOST_REVERSE_TWIST_DB = 9
/** Both tones together hold this share of the block's power; speech is spread wider. */
const LEAST_SHARE = 0.7
/** Neither half of a block has less than this of its mean power. */
const LEAST_FILLED = 0.6
/** The strongest tone of a group is so much stronger than the next. */
const LEAST_LEAD_DB = 8
/** The column's tone has no overtone stronger than this beside it; a voice has. (Those of rows lie beside columns.) */
const MOST_OVERTONE_DB = -12
/** About -33 dB of full scale in each tone. */
const LEAST_AMPLITUDE = 700

const RATIO = {
  twist: ratio(MOST_TWIST_DB),
  reverse: ratio(MOST_REVERSE_TWIST_DB),
  lead: ratio(LEAST_LEAD_DB),
  overtone: ratio(MOST_OVERTONE_DB),
}
const TONES_HZ = [...ROWS_HZ, ...COLUMNS_HZ]

/**
 * Keys pressed as tones in the sound (ITU-T Q.23, Q.24): the power at each of the eight frequencies by Goertzel's
 * recurrence, block by block.
 */
export class ToneReceiver {
  private readonly block: number
  private readonly tones: readonly Tone[]
  private readonly overtones: readonly Tone[]
  private readonly samples: Float32Array
  private filled = 0
  /** The key of the block before, and how many in a row had it. */
  private candidate = ''
  private blocks = 0
  /** The key that is down, and for how many blocks it was not heard. */
  private down = ''
  private missing = 0

  constructor(rateHz: number) {
    this.block = Math.round((BLOCK_MS * rateHz) / 1000)
    this.samples = new Float32Array(this.block)
    const toneAt = (hz: number): Tone => new Tone(hz, { rateHz, samples: this.block })
    this.tones = TONES_HZ.map(toneAt)
    this.overtones = COLUMNS_HZ.map((hz) => toneAt(2 * hz))
  }

  /** The keys whose press was recognised in these samples, in order; mostly none. */
  push(samples: Int16Array): string {
    let keys = ''
    for (let at = 0; at < samples.length; ) {
      const count = Math.min(this.block - this.filled, samples.length - at)
      for (let i = 0; i < count; i++) this.samples[this.filled + i] = samples[at + i] as number
      this.filled += count
      at += count
      if (this.filled < this.block) break
      this.filled = 0
      keys += this.judge(this.keyOfBlock())
    }
    return keys
  }

  private judge(key: string): string {
    this.blocks = key !== '' && key === this.candidate ? this.blocks + 1 : 1
    this.candidate = key
    if (this.down !== '') {
      this.missing = key === this.down ? 0 : this.missing + 1
      if (this.missing < BLOCKS_FOR_END) return ''
      this.down = ''
    }
    if (key === '' || this.blocks < BLOCKS_FOR_KEY) return ''
    this.down = key
    this.missing = 0
    return key
  }

  /** The key whose two tones fill the block; empty when there is none. */
  private keyOfBlock(): string {
    const { samples } = this
    const half = samples.length >> 1
    const first = powerOf(samples, 0, half)
    const second = powerOf(samples, half, samples.length)
    const power = (first + second) / 2
    // A block that the tones fill in part only counts for nothing, or shorter ones would be keys.
    if (Math.min(first, second) < LEAST_FILLED * power) return ''
    // Two tones that are loud enough have so much power together: most blocks are done here.
    if (power < LEAST_AMPLITUDE ** 2 / 2) return ''
    for (const tone of this.tones) tone.measure(samples)
    const row = strongest(this.tones, 0)
    const column = strongest(this.tones, 4)
    if (row < 0 || column < 0) return ''
    const [low, high] = [this.powerOf(row), this.powerOf(column)]
    if (high > low * RATIO.twist || low > high * RATIO.reverse) return ''
    if (low + high < LEAST_SHARE * power) return ''
    return this.hasOvertone(column) ? '' : (KEYPAD[row * 4 + column - 4] ?? '')
  }

  private powerOf(tone: number): number {
    return (this.tones[tone] as Tone).power
  }

  private hasOvertone(column: number): boolean {
    const overtone = this.overtones[column - 4] as Tone
    overtone.measure(this.samples)
    return overtone.power > this.powerOf(column) * RATIO.overtone
  }
}

/** The strongest of the four tones from `from` on, when it is loud enough and leads the others; else -1. */
function strongest(tones: readonly Tone[], from: number): number {
  let best = from
  for (let i = from + 1; i < from + 4; i++)
    if ((tones[i] as Tone).power > (tones[best] as Tone).power) best = i
  const { power } = tones[best] as Tone
  if (power < LEAST_AMPLITUDE ** 2 / 2) return -1
  for (let i = from; i < from + 4; i++)
    if (i !== best && (tones[i] as Tone).power * RATIO.lead > power) return -1
  return best
}

/** One frequency in a block. */
class Tone {
  /** Mean power of the sine: half its amplitude's square. */
  power = 0
  private readonly turn: number
  private readonly scale: number

  constructor(hz: number, o: { rateHz: number; samples: number }) {
    this.turn = 2 * Math.cos((2 * Math.PI * hz) / o.rateHz)
    this.scale = 2 / o.samples ** 2
  }

  measure(samples: Float32Array): void {
    const { turn } = this
    let last = 0
    let beforeLast = 0
    for (let i = 0; i < samples.length; i++) {
      const now = (samples[i] as number) + turn * last - beforeLast
      beforeLast = last
      last = now
    }
    this.power = (last * last + beforeLast * beforeLast - turn * last * beforeLast) * this.scale
  }
}

function powerOf(samples: Float32Array, from: number, to: number): number {
  let sum = 0
  for (let i = from; i < to; i++) sum += (samples[i] as number) ** 2
  return sum / (to - from)
}

function ratio(db: number): number {
  return 10 ** (db / 10)
}
