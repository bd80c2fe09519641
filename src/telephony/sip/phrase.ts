/** The words of the other side in a response, which may name anybody. */
import { publicReason } from '../../calls/public-reason.ts'

/** A reason phrase (RFC 3261 §7.2) fit for a log line or an answer: numbers and names of addresses masked; may be empty. */
export function shownPhrase(phrase: string | undefined): string {
  return publicReason(phrase ?? '') ?? ''
}
