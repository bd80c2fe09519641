/** The callee's telephone: real SIP and RTP on this machine's loopback, in this process. */

import type { IncomingCall, Leg } from '../calls/ports.ts'
import type { SpeechDetector, Voice } from '../conversation/ports.ts'
import { type Clock, sleep } from '../core/clock.ts'
import { reasonOf } from '../core/errors.ts'
import type { Ids } from '../core/ids.ts'
import { type Part, stopAll } from '../core/lifecycle.ts'
import type { Log } from '../core/log.ts'
import type { MediaSession } from '../telephony/media/media.ts'
import type { WireLog } from '../telephony/media/wire-log.ts'
import { createMedia } from '../telephony/media/worker-media.ts'
import { createTelephony } from '../telephony/telephony.ts'
import type { TrunkOptions } from '../telephony/trunk-options.ts'
import { type CalleeReport, createCallee } from './callee.ts'
import type { Dialogue } from './dialogue.ts'

export interface CalleePhone {
  /** Where it takes calls, UDP on 127.0.0.1. */
  port: number
  stop(): Promise<void>
}

const HOST = '127.0.0.1'
const SILENCE_MS = 30_000

/** What the callee does with a call. */
export type Reception =
  /** Refuses it with this SIP status. */
  | { refuse: number }
  /** Answers it, and leads it by `dialogue`; `over` is told how it went. */
  | {
      dialogue: Dialogue
      mute: boolean
      over?(report: CalleeReport, wire: WireLog): void
    }

/** Takes every call that comes, one after the other or at once, as `receive` says by the number that was called. */
export async function startCalleePhone(d: {
  clock: Clock
  ids: Ids
  log: Log
  speech: SpeechDetector & Part
  voice: Voice & Part
  /** Its numbers, E.164. */
  numbers: readonly string[]
  /** `to` is null for a number that is none of its own. */
  receive(to: string | null): Reception
}): Promise<CalleePhone> {
  const { clock, ids, log } = d
  const sessions: MediaSession[] = []
  const worker = createMedia({
    clock,
    log,
    ids,
    bindHost: HOST,
    portRange: [0, 0],
    silenceTimeoutMs: SILENCE_MS,
    wireLogs: true,
  })
  const media = {
    async open(): Promise<MediaSession> {
      const session = await worker.open()
      sessions.push(session)
      return session
    },
  }
  const telephony = createTelephony({
    clock,
    ids,
    log,
    media,
    options: { host: HOST, port: 0, publicHost: null, trunks: [trunk(d.numbers)] },
  })
  telephony.trunk.takeCalls((call) => {
    void take(call).catch((error: unknown) =>
      log.warn('the callee failed', { reason: reasonOf(error) }),
    )
  })

  async function take(call: IncomingCall): Promise<void> {
    const reception = d.receive(call.to)
    if ('refuse' in reception) return call.reject(reception.refuse)
    call.ring()
    await sleep(clock, reception.dialogue.answerAfterMs)
    const taken = await call.answer({ beforeAnswer: async () => undefined })
    if (!('answered' in taken)) return
    const leg = taken.answered
    const wire = wireOf(leg)
    if (!wire) throw new Error('its sound has no log')
    const report = await createCallee({ ...d, ...reception }).answer(leg, wire)
    reception.over?.(report, wire)
  }

  function wireOf(leg: Leg): WireLog | null {
    const at = sessions.findIndex(({ ears }) => ears === leg.ears)
    return sessions.splice(at, at < 0 ? 0 : 1)[0]?.wire ?? null
  }

  await telephony.start()
  return {
    port: telephony.localPort(),
    async stop() {
      await telephony.stop()
      await stopAll([d.speech, d.voice, worker])
    },
  }
}

/** Calls come from this machine only. */
function trunk(numbers: readonly string[]): TrunkOptions {
  return {
    name: 'callers',
    host: HOST,
    port: 5060,
    domain: null,
    transport: 'udp',
    username: null,
    password: null,
    register: false,
    expiresSeconds: 300,
    outboundProxy: null,
    allowedSources: [],
    numbers: [...numbers],
    callerId: 'from',
    numberFormat: '+e164',
    codecs: ['PCMU', 'PCMA'],
    srtp: 'off',
    dtmf: 'rfc4733',
    maxCalls: null,
    perSecond: null,
    caFile: null,
    verify: true,
  }
}
