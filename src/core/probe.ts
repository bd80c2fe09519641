/** What one part says of itself; `doctor` and `/readyz` only list these. */
export interface Probe {
  /** What it is, e.g. `database`, `trunk main`, `speech-to-text`. */
  name: string
  /**
   * `ready`: works. `away`: configured but not reachable now. `missing`: not configured or not installed.
   */
  state: 'ready' | 'away' | 'missing'
  /** One sentence: what it is when ready, why not when not. */
  reason?: string
  /** The command or setting that mends it. */
  mend?: string
}
