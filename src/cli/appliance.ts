/** What the command line needs from the rest: `appliance.ts` implements it, `main.ts` hands it in, tests fake it. */
import type { KeyStore, LedgerStore } from '../billing/ports.ts'
import type { Config } from '../config/config.ts'
import type { Clock } from '../core/clock.ts'
import type { Ids } from '../core/ids.ts'
import type { Log } from '../core/log.ts'
import type { Probe } from '../core/probe.ts'

export interface Appliance {
  /**
   * Starts everything; resolves once HTTP answers. Throws AppError `conflict` when another server holds the data
   * directory; whatever it throws, nothing is left running.
   */
  serve(config: Config, o: ServeOptions): Promise<RunningServer>
  /** The whole road on this machine, told line by line. Resolves with whether everything was as it should be. */
  demo(o: DemoOptions): Promise<boolean>
  /** Phones the built-in callee, scene by scene. Throws an Error for a name that is no scene's. */
  selftest(o: SelftestOptions): Promise<SelftestReport>
  /** The scenes that `selftest` plays, in their order. */
  scenes(): Promise<{ name: string; about: string }[]>
  /** Opens the data directory beside a server that may be running. */
  openData(config: Config): Promise<OwnersData>
  /**
   * Puts the backup `file` in the place of the database. Throws AppError `conflict` while a server runs, and whatever
   * keeps the backup from being used; then nothing has changed.
   */
  restore(config: Config, file: string): Promise<{ replaced: string | null }>
  /** The server that runs on the data directory; `unknown` when it does not say more of itself. Starts nothing. */
  running(config: Config): Promise<RunningFacts | 'unknown' | null>
  /** Every probe that needs no running server: data directory, ports, trunks, engines. Starts nothing. */
  probes(config: Config): Promise<Probe[]>
  /** The models that this release knows, and those found on the disk. */
  models(config: Config): Promise<ModelInfo[]>
  /** Reads each installed model from end to end. */
  verifyModels(config: Config): Promise<ModelCheck[]>
}

export interface ServeOptions {
  /** The configuration file that was read, as a whole path; null without one. Told to the commands beside. */
  file: string | null
  /** The settings of where it listens, by their names; told too. */
  listens: Record<string, string | number>
}

/** What a server tells of itself to the commands beside it. Times are ms since the epoch. */
export interface RunningFacts extends ServeOptions {
  pid: number
  startedAt: number
  url: string
}

export interface RunningServer {
  /** Where the API answers: `http://127.0.0.1:3000`. */
  url: string
  log: Log
  /** No new calls; live ones are said goodbye to and ended. Resolves within about 10 s. */
  stop(): Promise<void>
}

export interface DemoOptions {
  /** The callee says nothing: the transcript must then hold no human turn. */
  muteCallee: boolean
  /** One line for the person who watches. */
  out(line: string): void
  /** Aborts when the person presses Ctrl-C: everything is ended and `demo` resolves with false. */
  signal: AbortSignal
}

export interface SelftestOptions {
  /** Names of scenes; all of them when there is none. */
  scenes: readonly string[]
  /** A line of the appliance's log. */
  log(line: string): void
  /** Told each scene when it is over. */
  onScene(result: SceneReport): void
  /** Aborts when the person presses Ctrl-C: everything is ended, and what was not played has not passed. */
  signal: AbortSignal
}

export interface SelftestReport {
  passed: boolean
  /** In the order of the scenes. */
  scenes: SceneReport[]
  /** Over all scenes, ms. */
  gapMs: Spread | null
  bargeInMs: Spread | null
  seconds: number
}

export interface Spread {
  p50: number
  p95: number
}

/** Times are ms, taken at the callee's socket; null where there was nothing to measure. */
export interface SceneReport {
  name: string
  about: string
  passed: boolean
  /** What did not hold, a sentence each. */
  problems: string[]
  status: string
  endReason: string | null
  /** From the last packet of the callee's turn with speech to the first of the agent's answer. */
  gapMs: Spread | null
  /** From the first packet of an interruption to the last one of what it interrupted. */
  bargeInMs: Spread | null
  /** From the end of a sign of listening until the agent was heard again. */
  goesOnWithinMs: Spread | null
  falseInterruptions: number
  /** Of the callee's words; null where it said none. */
  wordsWrong: { wrong: number; of: number } | null
  /** The keys that the callee was sent. */
  keys: string
  lastedMs: number
  transcript: { role: string; text: string }[]
}

/** The data directory, as the commands use it. */
export interface OwnersData {
  keys: KeyStore
  ledger: LedgerStore
  ids: Ids
  clock: Clock
  /** Writes a whole copy to `file`, which must not exist, while a server may write. */
  backup(file: string): Promise<{ bytes: number }>
  close(): Promise<void>
}

export interface ModelInfo {
  id: string
  engine: string
  installed: boolean
  sizeBytes: number
}

export interface ModelCheck {
  id: string
  ok: boolean
  /** What is wrong with it; null when it is ok. */
  problem: string | null
}
