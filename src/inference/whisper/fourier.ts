/** One stage of a mixed-radix transform: `radix` values at a time, `blocks` × `stride` times. */
interface Stage {
  radix: number
  blocks: number
  stride: number
  /** The radix-point transform and its twiddle factors in one: [block][output][input]. */
  cos: Float64Array
  sin: Float64Array
}

/**
 * Makes the power spectrum of `size` real samples (an even number): |X(k)|² for k up to size / 2.
 * The samples are packed in pairs into a complex transform of half the size, by Stockham's method, whose output comes
 * in order; what it works on is kept between calls, so one function is for one thread.
 */
export function createPowerSpectrum(
  size: number,
): (samples: Float64Array, out: Float64Array) => void {
  const half = size / 2
  const stages = makeStages(half)
  const a = { re: new Float64Array(half), im: new Float64Array(half) }
  const b = { re: new Float64Array(half), im: new Float64Array(half) }
  const cos = Float64Array.from({ length: half + 1 }, (_, k) => Math.cos((2 * Math.PI * k) / size))
  const sin = Float64Array.from({ length: half + 1 }, (_, k) => Math.sin((2 * Math.PI * k) / size))

  return (samples, out) => {
    let from = a
    let to = b
    for (let i = 0; i < half; i++) {
      from.re[i] = samples[2 * i] as number
      from.im[i] = samples[2 * i + 1] as number
    }
    for (const stage of stages) {
      runStage(stage, from, to)
      ;[from, to] = [to, from]
    }
    // The even and odd samples' transforms come apart by symmetry: X(k) = E(k) + e^(-2πik/size) O(k).
    for (let k = 0; k <= half; k++) {
      const at = k % half
      const mirror = (half - k) % half
      const evenRe = ((from.re[at] as number) + (from.re[mirror] as number)) / 2
      const evenIm = ((from.im[at] as number) - (from.im[mirror] as number)) / 2
      const oddRe = ((from.im[at] as number) + (from.im[mirror] as number)) / 2
      const oddIm = ((from.re[mirror] as number) - (from.re[at] as number)) / 2
      const c = cos[k] as number
      const s = sin[k] as number
      const re = evenRe + oddRe * c + oddIm * s
      const im = evenIm + oddIm * c - oddRe * s
      out[k] = re * re + im * im
    }
  }
}

interface Complex {
  re: Float64Array
  im: Float64Array
}

function runStage({ radix, blocks, stride, cos, sin }: Stage, from: Complex, to: Complex): void {
  for (let block = 0; block < blocks; block++)
    for (let output = 0; output < radix; output++) {
      const table = (block * radix + output) * radix
      for (let q = 0; q < stride; q++) {
        let re = 0
        let im = 0
        for (let input = 0; input < radix; input++) {
          const at = q + stride * (block + blocks * input)
          const x = from.re[at] as number
          const y = from.im[at] as number
          const c = cos[table + input] as number
          const s = sin[table + input] as number
          re += x * c + y * s
          im += y * c - x * s
        }
        const at = q + stride * (radix * block + output)
        to.re[at] = re
        to.im[at] = im
      }
    }
}

function makeStages(size: number): Stage[] {
  const stages: Stage[] = []
  let left = size
  for (const radix of factors(size)) {
    const blocks = left / radix
    const cos = new Float64Array(left * radix)
    const sin = new Float64Array(left * radix)
    for (let block = 0; block < blocks; block++)
      for (let output = 0; output < radix; output++)
        for (let input = 0; input < radix; input++) {
          const turn = (input * output) / radix + (block * output) / left
          const at = (block * radix + output) * radix + input
          cos[at] = Math.cos(2 * Math.PI * turn)
          sin[at] = Math.sin(2 * Math.PI * turn)
        }
    stages.push({ radix, blocks, stride: size / left, cos, sin })
    left = blocks
  }
  return stages
}

function factors(size: number): number[] {
  const found: number[] = []
  let left = size
  for (let radix = 2; left > 1; ) {
    if (left % radix === 0) {
      found.push(radix)
      left /= radix
    } else radix++
  }
  return found
}
