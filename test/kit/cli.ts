/** Runs `landline` command lines in tests: a terminal that remembers, and a working appliance without anything behind it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ApiKey } from '../../src/billing/ports.ts'
import type { Appliance, OwnersData, SceneReport } from '../../src/cli/appliance.ts'
import type { Platform } from '../../src/cli/platform.ts'
import { runCli } from '../../src/cli/program.ts'
import type { Terminal } from '../../src/cli/terminal.ts'
import { createIds } from '../../src/core/ids.ts'
import type { Log } from '../../src/core/log.ts'

export interface FakeTerminal extends Terminal {
  outLines: string[]
  errLines: string[]
  exits: number[]
  /** As SIGTERM or Ctrl-C would. */
  signal(): void
  fault(error: unknown): void
}

export function createFakeTerminal(directory: string): FakeTerminal {
  const signals = new Set<() => void>()
  const faults = new Set<(error: unknown) => void>()
  const terminal: FakeTerminal = {
    outLines: [],
    errLines: [],
    exits: [],
    env: {},
    directory,
    out: (line) => void terminal.outLines.push(line),
    err: (line) => void terminal.errLines.push(line),
    fetch: Object.assign(
      () => Promise.reject(new Error('connection refused')),
      globalThis.fetch,
    ) as typeof fetch,
    onSignal(on) {
      signals.add(on)
      return () => signals.delete(on)
    },
    onFault: (on) => void faults.add(on),
    sleep: () => new Promise(() => undefined),
    exit: (code) => void terminal.exits.push(code),
    signal: () => {
      for (const on of [...signals]) on()
    },
    fault: (error) => {
      for (const on of faults) on(error)
    },
  }
  return terminal
}

export interface FakeAppliance extends Appliance {
  keyRows: (ApiKey & { hash: string })[]
  balanceCents: number
  /** How many data directories are open now. */
  open: number
  logged: { level: string; message: string; fields: Record<string, unknown> | undefined }[]
  served: Parameters<Appliance['serve']>[0][]
  /** How the scenes of the gym go. */
  gym: SceneReport[]
  /** What each server was given to tell of itself. */
  told: Parameters<Appliance['serve']>[1][]
}

export function createFakeAppliance(): FakeAppliance {
  const now = (): number => Date.UTC(2026, 2, 20, 18, 30)
  const clock = { now, steady: now, after: () => () => undefined }
  let seed = 0
  const ids = createIds(clock, (n) => new Uint8Array(n).fill(++seed))
  const record =
    (level: string) =>
    (message: string, fields?: Record<string, unknown>): void =>
      void fake.logged.push({ level, message, fields })
  const log: Log = {
    debug: record('debug'),
    info: record('info'),
    warn: record('warn'),
    error: record('error'),
  }
  const data: OwnersData = {
    clock,
    ids,
    keys: {
      async create(key) {
        fake.keyRows.push({ ...key, revokedAt: null })
      },
      findByHash: async (hash) => fake.keyRows.find((key) => key.hash === hash) ?? null,
      list: async () => fake.keyRows,
      async revoke(id, at) {
        const key = fake.keyRows.find((row) => row.id === id && row.revokedAt === null)
        if (key) key.revokedAt = at
        return key !== undefined
      },
    },
    ledger: {
      account: async () => ({ id: 'a', name: 'Owner', balanceCents: fake.balanceCents }),
      async credit({ amountCents }) {
        fake.balanceCents += amountCents
        return { id: 'a', name: 'Owner', balanceCents: fake.balanceCents }
      },
    },
    async backup(file) {
      writeFileSync(file, 'copy', { flag: 'wx' })
      return { bytes: 4 }
    },
    async close() {
      fake.open -= 1
    },
  }
  const fake: FakeAppliance = {
    keyRows: [],
    balanceCents: 500,
    open: 0,
    logged: [],
    served: [],
    gym: [],
    told: [],
    async serve(config, o) {
      fake.served.push(config)
      fake.told.push(o)
      return { url: 'http://127.0.0.1:3000', log, stop: async () => undefined }
    },
    async demo({ muteCallee, out }) {
      out('agent: Hi.')
      if (!muteCallee) out('human: Hello.')
      return !muteCallee
    },
    async selftest({ scenes, onScene }) {
      const played = fake.gym.filter(({ name }) => scenes.length === 0 || scenes.includes(name))
      for (const scene of played) onScene(scene)
      const passed = played.every((scene) => scene.passed)
      const figures = { gapMs: { p50: 310, p95: 420 }, bargeInMs: null, seconds: 12 }
      return { passed, scenes: played, ...figures }
    },
    scenes: async () => fake.gym,
    async openData() {
      fake.open += 1
      return data
    },
    restore: async () => ({ replaced: '/data/old' }),
    running: async () => null,
    probes: async () => [{ name: 'database', state: 'ready' }],
    models: async () => [
      { id: 'whisper-base', engine: 'whisper', installed: true, sizeBytes: 1_500_000 },
    ],
    verifyModels: async () => [{ id: 'whisper-base', ok: true, problem: null }],
  }
  return fake
}

export interface CliSetup {
  directory: string
  terminal: FakeTerminal
  appliance: FakeAppliance
  /** How often the appliance was loaded. */
  loads(): number
  platform: Platform
  run(...args: string[]): Promise<number>
  /** Stdout as one JSON value. */
  json(): unknown
}

const directories: string[] = []

/** Fresh parts in a temporary directory; `cleanUpCli` removes it. */
export function setupCli(): CliSetup {
  const directory = mkdtempSync(join(tmpdir(), 'landline-cli-'))
  directories.push(directory)
  const terminal = createFakeTerminal(directory)
  const appliance = createFakeAppliance()
  let loads = 0
  const setup: CliSetup = {
    directory,
    terminal,
    appliance,
    loads: () => loads,
    platform: { os: 'linux', arch: 'x64', maps: '/lib/x86_64-linux-gnu/libc.so.6' },
    run: (...args) =>
      runCli(args, {
        terminal,
        platform: setup.platform,
        appliance: async () => {
          loads += 1
          return appliance
        },
      }),
    json: () => JSON.parse(terminal.outLines.join('\n')),
  }
  return setup
}

export function cleanUpCli(): void {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true })
}
