/** What a final response to our INVITE, or the want of one, means for the call (contract §1, Status). */
import type { Dialed } from '../calls/ports.ts'
import { shownPhrase } from './sip/phrase.ts'

export type Failure = 'busy' | 'no_answer' | 'rejected' | 'trunk_error'

/** For a status of 300 to 699. A redirection is not followed: it could lead to any number, at our cost. */
export function failureOf(status: number): Failure {
  if (status === 486 || status === 600) return 'busy'
  if (status === 408 || status === 480) return 'no_answer'
  if (status === 401 || status === 407) return 'trunk_error'
  if (status >= 500 && status < 600) return 'trunk_error'
  return 'rejected'
}

export function canceled(sipCode: number | null): Dialed {
  return { failed: 'canceled', sipCode, reason: 'canceled before an answer' }
}

export function unanswered(sipCode: number | null = null): Dialed {
  return { failed: 'no_answer', sipCode, reason: 'no answer while it rang' }
}

export function trunkError(reason: string, sipCode: number | null = null): Dialed {
  return { failed: 'trunk_error', sipCode, reason }
}

/** The other side refused, with a phrase of its own; `hasCredentials`: whether we had any to show. */
export function refused(
  sipCode: number,
  o: { phrase: string | undefined; hasCredentials: boolean },
): Dialed {
  const wanted = o.hasCredentials ? 'refused our credentials' : 'asks for credentials'
  const about = sipCode === 401 || sipCode === 407 ? `the trunk ${wanted}: ` : ''
  const reason = `${about}${sipCode} ${shownPhrase(o.phrase)}`.trim()
  return { failed: failureOf(sipCode), sipCode, reason }
}

/** What a final response to an INVITE means. `made`: sip.js made it, for a timer or a transport that failed. */
export function meaningOf(
  status: number,
  o: {
    made: boolean
    /** Why we are ending the call ourselves, where we are. */
    ending: 'canceled' | 'ring_timeout' | null
    phrase: string | undefined
    hasCredentials: boolean
  },
): Dialed {
  const sipCode = o.made ? null : status
  if (o.ending === 'canceled') return canceled(sipCode)
  if (o.ending === 'ring_timeout' && (o.made || status === 487)) return unanswered(sipCode)
  if (!o.made) return refused(status, { phrase: o.phrase, hasCredentials: o.hasCredentials })
  const silent = status === 408
  return trunkError(silent ? 'no answer at all to the INVITE' : 'the INVITE could not be sent')
}
