/** What sip.js keeps in globals of the process: set in this one place, once, before the first message. */
import * as Core from 'sip.js/lib/core/index.js'
import { AllowedMethods } from 'sip.js/lib/core/user-agent-core/allowed-methods.js'
import type { Ids } from '../../core/ids.ts'
import { type Authentication, authenticationGuard } from './authenticate.ts'
import { installFastGrammar } from './fast-grammar.ts'
import { ALLOW } from './reply.ts'

const T1 = 500
const T4 = 5_000

let settled = false

/**
 * Gives sip.js the timers of an unreliable transport (RFC 3261 §17, table 4: it sets them to zero, and then no
 * longer knows a repeated final response), branches that two transactions cannot share, and a quick grammar.
 */
export function settleSipjs(ids: Ids): void {
  if (settled) return
  settled = true
  Object.assign(Core.Timers, {
    TIMER_D: 64 * T1,
    TIMER_I: T4,
    TIMER_J: 64 * T1,
    TIMER_K: T4,
  })
  // Its own branches are one of ten million: at a few hundred transactions two of them meet within the hour.
  Object.defineProperty(Core.ClientTransaction, 'makeId', {
    value: (request: Core.OutgoingRequestMessage): string =>
      request.method === 'CANCEL' && request.branch ? request.branch : `z9hG4bK${ids.hex(8)}`,
  })
  answerChallenges()
  installFastGrammar()
  // UPDATE reaches its dialog, and what sip.js answers to OPTIONS inside one names what we take.
  AllowedMethods.push('UPDATE')
  AllowedMethods.toString = () => ALLOW
}

/** sip.js answers one challenge of one realm, and only MD5; ours is made by the core's `authenticationFactory`. */
function answerChallenges(): void {
  interface Client {
    core: Core.UserAgentCore
    message: Core.OutgoingRequestMessage
    init(): void
  }
  Object.defineProperty(Core.UserAgentClient.prototype, 'authenticationGuard', {
    value: function guard(
      this: Client,
      response: Core.IncomingResponseMessage,
      dialog?: Core.Dialog,
    ): boolean {
      const begin = (): Authentication | undefined =>
        this.core.configuration.authenticationFactory() as unknown as Authentication | undefined
      return authenticationGuard(this, response, { dialog, begin })
    },
  })
}
