/**
 * The gym: the real appliance phones the built-in callee, scene by scene, over real SIP and RTP. What is told comes from
 * the API and from the callee's wire.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CallStatus, isFinal } from './calls/call.ts'
import { type ApiClient, answerOf } from './cli/api-client.ts'
import type { SelftestOptions, SelftestReport } from './cli/appliance.ts'
import { type Clock, sleep } from './core/clock.ts'
import { createFliteVoice } from './inference/flite/flite-voice.ts'
import { createSpeechDetector } from './inference/speech-detector/worker-detector.ts'
import { openLog } from './observability/json-log.ts'
import { allScenes } from './simulator/all-scenes.ts'
import { type Reception, startCalleePhone } from './simulator/callee-phone.ts'
import { cast, MAX_CALL_SECONDS, type Role } from './simulator/cast.ts'
import {
  type CalleeFacts,
  type CallFacts,
  judge,
  type SceneResult,
  spread,
} from './simulator/judge.ts'
import type { Measures } from './simulator/measures.ts'
import type { Scene } from './simulator/scene.ts'
import { dataDirOf, type StageDeps, setStage } from './stage.ts'

const LOOK_MS = 200
/** The callee's last words, after the call is over for us. */
const REPORT_MS = 5000
/** A process that stands still for so long has not measured anything. */
const STALL_MS = 3000
const GIVE_UP_MS = (MAX_CALL_SECONDS + 60) * 1000

type Played = { result: SceneResult; measures: Measures }

/** Plays the scenes. Rejects only when nothing could be played at all. */
export async function runSelftest(o: SelftestOptions, d: StageDeps): Promise<SelftestReport> {
  const scenes = chosen(allScenes(), o.scenes)
  const begun = d.clock.steady()
  const { roles, script } = cast(scenes)
  const played = await onStage(d, { roles, script, log: o.log }, (client, callee) =>
    playAll(o, { clock: d.clock, client, callee, roles }),
  )
  const results = scenes.flatMap(({ name }) => played.filter(({ result }) => result.name === name))
  return {
    passed: results.length === scenes.length && results.every(({ result }) => result.passed),
    scenes: results.map(({ result }) => result),
    gapMs: spread(results.flatMap(({ measures }) => measures.gapsMs)),
    bargeInMs: spread(results.flatMap(({ measures }) => measures.bargeInsMs)),
    seconds: Math.round((d.clock.steady() - begun) / 1000),
  }
}

function chosen(scenes: readonly Scene[], names: readonly string[]): Scene[] {
  const unknown = names.find((name) => !scenes.some((scene) => scene.name === name))
  if (unknown !== undefined)
    throw new Error(
      `there is no scene '${unknown}'; there are ${scenes.map(({ name }) => name).join(', ')}`,
    )
  return scenes.filter(({ name }) => names.length === 0 || names.includes(name))
}

async function onStage<T>(
  d: StageDeps,
  o: { roles: readonly Role[]; script: string; log(line: string): void },
  body: (client: ApiClient, callee: CalleeSide) => Promise<T>,
): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'landline-selftest-'))
  const log = await openLog({
    level: 'warn',
    format: 'json',
    write: (line) => o.log(line.trimEnd()),
  })
  const undo: (() => Promise<unknown>)[] = []
  try {
    const callee = new CalleeSide(o.roles, d.clock)
    const phone = await startCalleePhone({
      ...d,
      log,
      speech: createSpeechDetector({ ...d, log, dataDir: dataDirOf(directory) }),
      voice: createFliteVoice({ clock: d.clock, log, voice: 'rms' }),
      numbers: o.roles.map(({ number }) => number),
      receive: (to) => callee.receive(to),
    })
    undo.push(() => phone.stop())
    const { script } = o
    const calleePort = phone.port
    const stage = await setStage(d, {
      name: 'Selftest',
      directory,
      log,
      calleePort,
      script,
      toml: '',
    })
    undo.push(() => stage.stop())
    return await body(stage.client, callee)
  } finally {
    for (const step of undo.reverse()) await step().catch(() => undefined)
    rmSync(directory, { recursive: true, force: true })
  }
}

/** What the callee has of the calls that are over, by their number. */
class CalleeSide {
  private readonly roles: readonly Role[]
  private readonly clock: Clock
  private readonly facts = new Map<string, CalleeFacts>()

  constructor(roles: readonly Role[], clock: Clock) {
    this.roles = roles
    this.clock = clock
  }

  receive(to: string | null): Reception {
    const scene = this.roles.find(({ number }) => number === to)?.scene
    if (!scene || to === null) return { refuse: 404 }
    if (scene.refuse !== null) return { refuse: scene.refuse }
    return {
      dialogue: scene.callee,
      mute: false,
      over: (report, wire) => void this.facts.set(to, { report, packets: wire.packets() }),
    }
  }

  /** Null when it never answered. */
  async of({ number, scene }: Role): Promise<CalleeFacts> {
    const { clock } = this
    const giveUpAt = clock.steady() + (scene.refuse === null ? REPORT_MS : 0)
    while (!this.facts.has(number) && clock.steady() < giveUpAt) await sleep(clock, LOOK_MS)
    return this.facts.get(number) ?? null
  }
}

interface Floor {
  clock: Clock
  client: ApiClient
  callee: CalleeSide
  roles: readonly Role[]
}

/** Those in which something is timed one after the other; beside them the others, likewise. */
async function playAll(o: SelftestOptions, floor: Floor): Promise<Played[]> {
  const played: Played[] = []
  const lane = async (roles: readonly Role[]): Promise<void> => {
    for (const role of roles) {
      if (o.signal.aborted) return
      const one = await play(role, floor, o.signal)
      if (!one) return
      played.push(one)
      o.onScene(one.result)
    }
  }
  const timed = floor.roles.filter(({ scene }) => !scene.beside)
  const beside = floor.roles.filter(({ scene }) => scene.beside)
  await Promise.all([lane(timed), lane(beside)])
  return played
}

/** Null when it was aborted. */
async function play(role: Role, floor: Floor, signal: AbortSignal): Promise<Played | null> {
  const { call, stalledMs } = await place(role, floor, signal)
  if (signal.aborted) return null
  const played = judge(role.scene, call, await floor.callee.of(role))
  if (stalledMs < STALL_MS) return played
  const stalled = `this process stood still for ${Math.round(stalledMs / 1000)} s`
  const problems = [stalled, ...played.result.problems]
  return { ...played, result: { ...played.result, problems, passed: false } }
}

/** The call once it has ended, or as it stood when it was given up; and how long the process stood still meanwhile. */
async function place(
  { request }: Role,
  { clock, client }: Floor,
  signal: AbortSignal,
): Promise<{ call: CallFacts; stalledMs: number }> {
  const ask = async (path: string, init = {}): Promise<Record<string, unknown>> =>
    answerOf(await client.request(`/api/v1/calls${path}`, init))
  const { id } = await ask('', { method: 'POST', body: request })
  const giveUpAt = clock.steady() + GIVE_UP_MS
  let stalledMs = 0
  for (let at = clock.steady(); ; at = clock.steady()) {
    const call = await ask(`/${id}`)
    const over = isFinal(call.status as CallStatus)
    if (over || signal.aborted || clock.steady() > giveUpAt)
      return { call: call as unknown as CallFacts, stalledMs }
    await sleep(clock, LOOK_MS, signal)
    stalledMs = Math.max(stalledMs, clock.steady() - at - LOOK_MS)
  }
}
