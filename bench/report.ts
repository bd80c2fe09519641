/** What a bench found, and the table of it. */
import { quantile } from './stats.ts'

export interface Figure {
  metric: string
  unit: string
  p50: number
  p99: number
  /** What was measured beside it in the same rounds; null where nothing was. */
  control: { what: string; p50: number; p99: number } | null
  /** What the figure is held to, in words; null where nothing is asked. */
  target: string | null
  /** Whether it was reached; null where nothing is asked. */
  met: boolean | null
  n: number
  /** Rounds left out because the control was disturbed. */
  discarded: number
}

type Bound = { atMost: number } | { atLeast: number }
type Target = { of: 'p50' | 'p99' } & Bound

/** A figure of samples beside the samples of its control. Each target bounds the median or p99; all are to be met. */
export function figure(o: {
  metric: string
  unit: string
  ours: readonly number[]
  control: { what: string; samples: readonly number[] } | null
  target?: Target | readonly Target[]
  discarded: number
}): Figure {
  const { metric, unit, ours, target, discarded } = o
  const ends = (samples: readonly number[]) => ({
    p50: quantile(samples, 0.5),
    p99: quantile(samples, 0.99),
  })
  const found = ends(ours)
  const targets = target ? [target].flat() : []
  return {
    metric,
    unit,
    ...found,
    control: o.control && { what: o.control.what, ...ends(o.control.samples) },
    target: targets.map((each) => `${each.of} ${boundOf(each)}`).join(', ') || null,
    met: targets.length > 0 ? targets.every((each) => isMet(found[each.of], each)) : null,
    n: ours.length,
    discarded,
  }
}

function boundOf(bound: Bound): string {
  return 'atMost' in bound ? `≤ ${bound.atMost}` : `≥ ${bound.atLeast}`
}

function isMet(value: number, bound: Bound): boolean {
  return 'atMost' in bound ? value <= bound.atMost : value >= bound.atLeast
}

/** A Markdown table; it reads in a terminal as well. */
export function renderTable(figures: readonly Figure[]): string {
  const head = ['metric', 'ours p50 / p99', 'control p50 / p99', 'target', 'n', 'rounds left out']
  const rows = figures.map((each) => [
    `${each.metric} (${each.unit})`,
    `${plain(each.p50)} / ${plain(each.p99)}`,
    each.control === null
      ? '–'
      : `${each.control.what}: ${plain(each.control.p50)} / ${plain(each.control.p99)}`,
    each.target === null ? '–' : `${each.target}: ${each.met ? 'met' : 'MISSED'}`,
    String(each.n),
    String(each.discarded),
  ])
  const widths = head.map((title, i) =>
    Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)),
  )
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n')
}

function plain(value: number): string {
  if (Number.isNaN(value)) return '?'
  // A target may lie at hundredths.
  if (value > 0 && value < 0.2) return value.toPrecision(2)
  return Math.abs(value) >= 100 ? String(Math.round(value)) : value.toFixed(1)
}
