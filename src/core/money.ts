/** Money is integer cents. */

/** Whole seconds between answer and end, rounded up; 0 for a call that was never answered. */
export function billableSeconds(startedAt: number | null, endedAt: number): number {
  return startedAt === null ? 0 : Math.max(0, Math.ceil((endedAt - startedAt) / 1000))
}

/** Whole cents for a duration, rounded up. */
export function costOf(durationSeconds: number, centsPerMinute: number): number {
  return Math.ceil((durationSeconds * centsPerMinute) / 60)
}
