/**
 * ITU-T G.722 at 64 kbit/s: two bands of 4 kHz by a quadrature mirror filter, each coded as the difference from what
 * was predicted (ADPCM): 6 bits for the lower, 2 for the upper, one byte for two samples at 16 kHz. All arithmetic is
 * the recommendation's, in whole numbers, so that the code is the same bit for bit everywhere.
 */
import type { Decoder, Encoder } from './codec.ts'

/** Table 4: every other of the filter's 24 coefficients; those between are the same in reverse. */
const QMF = Int32Array.of(3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11)
const QMF_TAPS = 24
const MIRRORED = QMF.toReversed()

/** Tables 5, 7 to 10 and 14: decision levels, codes and reconstruction levels of the two quantisers. */
const Q6 = Int32Array.of(
  ...[0, 35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714],
  ...[786, 858, 940, 1023, 1121, 1219, 1339, 1458, 1612, 1765, 1980, 2195, 2557, 2919],
)
const QM4 = Int32Array.of(
  ...[0, -20456, -12896, -8968, -6288, -4240, -2584, -1200],
  ...[20456, 12896, 8968, 6288, 4240, 2584, 1200, 0],
)
const QM6 = Int32Array.of(
  ...[-136, -136, -136, -136, -24808, -21904, -19008, -16704],
  ...[-14984, -13512, -12280, -11192, -10232, -9360, -8576, -7856],
  ...[-7192, -6576, -6000, -5456, -4944, -4464, -4008, -3576],
  ...[-3168, -2776, -2400, -2032, -1688, -1360, -1040, -728],
  ...[24808, 21904, 19008, 16704, 14984, 13512, 12280, 11192],
  ...[10232, 9360, 8576, 7856, 7192, 6576, 6000, 5456],
  ...[4944, 4464, 4008, 3576, 3168, 2776, 2400, 2032],
  ...[1688, 1360, 1040, 728, 432, 136, -432, -136],
)
const QM2 = Int32Array.of(-7408, -1616, 7408, 1616)
const Q2 = 564
/** How the scale of each quantiser follows what was coded, and the powers of two that it is read from. */
const WL = Int32Array.of(-60, -30, 58, 172, 334, 538, 1198, 3042)
const RL42 = Int32Array.of(0, 7, 6, 5, 4, 3, 2, 1, 7, 6, 5, 4, 3, 2, 1, 0)
const WH = Int32Array.of(798, -214, 798, -214)
const ILB = Int32Array.of(
  ...[
    2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834,
  ],
  ...[
    2896, 2960, 3025, 3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008,
  ],
)

function saturate(value: number): number {
  return Math.max(-32_768, Math.min(32_767, value))
}

function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(high, value))
}

/** §3.5, §3.6: what both sides know of one band, from what was coded so far. */
class Band {
  /** What is predicted for the next sample. */
  predicted = 0
  /** The quantiser's scale. */
  scale: number
  private logScale = 0
  private readonly most: number
  private readonly shift: number
  /** The part of the prediction that comes from the zeros. */
  private fromZeros = 0
  private a1 = 0
  private a2 = 0
  private r1 = 0
  private p1 = 0
  private p2 = 0
  private readonly b = new Int32Array(6)
  private readonly d = new Int32Array(6)

  constructor(o: { scale: number; most: number; shift: number }) {
    this.scale = o.scale
    this.most = o.most
    this.shift = o.shift
  }

  /** Adapts the scale by `step` of the code, and the predictor to the difference that the code stands for. */
  adapt(step: number, difference: number): void {
    this.logScale = clamp(((this.logScale * 127) >> 7) + step, 0, this.most)
    const down = this.shift - (this.logScale >> 11)
    const power = ILB[(this.logScale >> 6) & 31] as number
    this.scale = (down < 0 ? power << -down : power >> down) << 2
    const r = saturate(this.predicted + difference)
    this.adaptPoles(saturate(this.fromZeros + difference))
    this.adaptZeros(difference)
    this.predict(r)
  }

  /** UPPOL2, UPPOL1: the two poles, kept where the filter is stable. */
  private adaptPoles(p: number): void {
    const sign = p >> 15
    const wd = saturate(this.a1 << 2)
    let a2 = sign === this.p1 >> 15 ? Math.min(-wd, 32_767) >> 7 : wd >> 7
    a2 += sign === this.p2 >> 15 ? 128 : -128
    a2 = clamp(a2 + ((this.a2 * 32_512) >> 15), -12_288, 12_288)
    const a1 = saturate((sign === this.p1 >> 15 ? 192 : -192) + ((this.a1 * 32_640) >> 15))
    const most = saturate(15_360 - a2)
    this.a1 = clamp(a1, -most, most)
    this.a2 = a2
    this.p2 = this.p1
    this.p1 = p
  }

  /** UPZERO, DELAYA: the six zeros. */
  private adaptZeros(difference: number): void {
    const { b, d } = this
    const step = difference === 0 ? 0 : 128
    const sign = difference >> 15
    for (let i = 0; i < 6; i++) {
      const up = (d[i] as number) >> 15 === sign ? step : -step
      b[i] = saturate(up + (((b[i] as number) * 32_640) >> 15))
    }
    d.copyWithin(1, 0, 5)
    d[0] = difference
  }

  /** FILTEP, FILTEZ, PREDIC. */
  private predict(r: number): void {
    const { b, d } = this
    const fromPoles = saturate(
      ((this.a1 * saturate(r + r)) >> 15) + ((this.a2 * saturate(this.r1 + this.r1)) >> 15),
    )
    this.r1 = r
    let fromZeros = 0
    for (let i = 5; i >= 0; i--)
      fromZeros += ((b[i] as number) * saturate(2 * (d[i] as number))) >> 15
    this.fromZeros = saturate(fromZeros)
    this.predicted = saturate(fromPoles + this.fromZeros)
  }
}

const lowBand = (): Band => new Band({ scale: 32, most: 18_432, shift: 8 })
const highBand = (): Band => new Band({ scale: 8, most: 22_528, shift: 10 })

function adaptLow(low: Band, code: number): void {
  const level = (code >> 2) & 15
  const difference = (low.scale * (QM4[level] as number)) >> 15
  low.adapt(WL[RL42[level] as number] as number, difference)
}

function adaptHigh(high: Band, code: number): void {
  high.adapt(WH[code] as number, (high.scale * (QM2[code] as number)) >> 15)
}

/** §3.3: the code of the difference between the lower band and its prediction. */
function quantiseLow(low: Band, sample: number): number {
  const error = saturate(sample - low.predicted)
  const size = error >= 0 ? error : -(error + 1)
  let level = 1
  while (level < 30 && size >= ((Q6[level] as number) * low.scale) >> 12) level++
  // Table 5 counts its codes down; the smallest two of the negative side have numbers of their own.
  if (error >= 0) return 62 - level
  return level < 3 ? 64 - level : 34 - level
}

function quantiseHigh(high: Band, sample: number): number {
  const error = saturate(sample - high.predicted)
  const size = error >= 0 ? error : -(error + 1)
  const large = size >= (Q2 * high.scale) >> 12
  if (error >= 0) return large ? 2 : 3
  return large ? 0 : 1
}

/** The last samples of a filter, twice over, so that they always lie in one piece. */
class History {
  private readonly kept = new Int32Array(2 * QMF_TAPS)
  private at = 0
  even = 0
  odd = 0

  /** Takes the next two values, and sets `even` and `odd` to the two halves of the filter over the last 24. */
  push(first: number, second: number): void {
    const { kept } = this
    kept[this.at] = first
    kept[this.at + QMF_TAPS] = first
    kept[this.at + 1] = second
    kept[this.at + 1 + QMF_TAPS] = second
    this.at = (this.at + 2) % QMF_TAPS
    let even = 0
    let odd = 0
    for (let i = 0; i < QMF_TAPS / 2; i++) {
      even += (kept[this.at + 2 * i] as number) * (QMF[i] as number)
      odd += (kept[this.at + 2 * i + 1] as number) * (MIRRORED[i] as number)
    }
    this.even = even
    this.odd = odd
  }
}

export class G722Encoder implements Encoder {
  private readonly history = new History()
  private readonly low = lowBand()
  private readonly high = highBand()

  encode(samples: Int16Array, to: Uint8Array, offset: number): number {
    const { history, low, high } = this
    const bytes = samples.length >> 1
    for (let n = 0; n < bytes; n++) {
      history.push(samples[2 * n] as number, samples[2 * n + 1] as number)
      const lowCode = quantiseLow(low, (history.odd + history.even) >> 14)
      const highCode = quantiseHigh(high, (history.odd - history.even) >> 14)
      adaptLow(low, lowCode)
      adaptHigh(high, highCode)
      to[offset + n] = (highCode << 6) | lowCode
    }
    return bytes
  }
}

export class G722Decoder implements Decoder {
  private readonly history = new History()
  private readonly low = lowBand()
  private readonly high = highBand()
  private samples = new Int16Array(320)

  decode(payload: Uint8Array): Int16Array {
    const { history, low, high } = this
    const length = payload.length * 2
    if (this.samples.length !== length) this.samples = new Int16Array(length)
    const { samples } = this
    for (let n = 0; n < payload.length; n++) {
      const code = payload[n] as number
      const difference = (low.scale * (QM6[code & 63] as number)) >> 15
      const lower = clamp(low.predicted + difference, -16_384, 16_383)
      adaptLow(low, code & 63)
      const highDifference = (high.scale * (QM2[code >> 6] as number)) >> 15
      const upper = clamp(high.predicted + highDifference, -16_384, 16_383)
      adaptHigh(high, code >> 6)
      history.push(lower + upper, lower - upper)
      samples[2 * n] = saturate(history.odd >> 11)
      samples[2 * n + 1] = saturate(history.even >> 11)
    }
    return samples
  }
}
