/** The callee's telephone: real SIP and RTP on this machine's loopback, in this process. */

import type { IncomingCall } from '../calls/ports.ts'
import type { SpeechDetector, Voice } from '../conversation/ports.ts'
import type { Clock } from '../core/clock.ts'
import { reasonOf } from '../core/errors.ts'
import type { Ids } from '../core/ids.ts'
import { type Part, stopAll } from '../core/lifecycle.ts'
import type { Log } from '../core/log.ts'
import { createMedia } from '../telephony/media/worker-media.ts'
import { createTelephony } from '../telephony/telephony.ts'
import { createCallee } from './callee.ts'
import type { Dialogue } from './dialogue.ts'

export interface CalleePhone {
  /** Where it takes calls, UDP on 127.0.0.1. */
  port: number
  stop(): Promise<void>
}

const HOST = '127.0.0.1'
const SILENCE_MS = 30_000

/** Takes every call that comes, one after the other or at once, and leads it by `dialogue`. */
export async function startCalleePhone(d: {
  clock: Clock
  ids: Ids
  log: Log
  speech: SpeechDetector & Part
  voice: Voice & Part
  dialogue: Dialogue
  mute: boolean
}): Promise<CalleePhone> {
  const { clock, ids, log } = d
  const callee = createCallee(d)
  const media = createMedia({
    clock,
    log,
    ids,
    bindHost: HOST,
    portRange: [0, 0],
    silenceTimeoutMs: SILENCE_MS,
  })
  const telephony = createTelephony({
    clock,
    ids,
    log,
    media,
    options: { host: HOST, port: 0, publicHost: null, trunks: [trunk()] },
  })
  telephony.trunk.takeCalls((call) => {
    void take(call).catch((error: unknown) =>
      log.warn('the callee failed', { reason: reasonOf(error) }),
    )
  })

  async function take(call: IncomingCall): Promise<void> {
    call.ring()
    await new Promise<void>((done) => {
      clock.after(d.dialogue.answerAfterMs, done)
    })
    const taken = await call.answer({ beforeAnswer: async () => undefined })
    if ('answered' in taken) await callee.answer(taken.answered)
  }

  await telephony.start()
  return {
    port: telephony.localPort(),
    async stop() {
      await telephony.stop()
      await stopAll([d.speech, d.voice, media])
    },
  }
}

/** Calls come from this machine only. */
function trunk() {
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
    numbers: [],
    callerId: 'from',
    numberFormat: '+e164',
    codecs: ['PCMU', 'PCMA'],
    srtp: 'off',
    dtmf: 'rfc4733',
    maxCalls: null,
    perSecond: null,
    caFile: null,
    verify: true,
  } as const
}
