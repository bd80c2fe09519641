/** What a final response to our INVITE means for the call (contract §1, Status). */

export type Failure = 'busy' | 'no_answer' | 'rejected' | 'trunk_error'

/** For a status of 300 to 699. */
export function failureOf(status: number): Failure {
  if (status === 486 || status === 600) return 'busy'
  if (status === 408 || status === 480) return 'no_answer'
  if (status === 401 || status === 407) return 'trunk_error'
  if (status >= 500 && status < 600) return 'trunk_error'
  return 'rejected'
}
