/** Keys pressed by INFO, the way that gateways know from before RFC 6086. */
import type * as Core from 'sip.js/lib/core/index.js'
import { type Clock, sleep } from '../core/clock.ts'
import { sendInside } from './dialog-requests.ts'

const KEY_MS = 160
/** From the beginning of one key to the next. */
const STEP_MS = 250
/** What `w` waits. */
const WAIT_MS = 500

/** Presses keys (0-9 * # A-D, `w` waits) as long as the call is `live`; resolves when the last one left. */
export async function pressByInfo(
  digits: string,
  o: { clock: Clock; session: Core.Session; live(): boolean },
): Promise<void> {
  for (const digit of digits) {
    if (!o.live()) return
    if (digit !== 'w') sendInside(o.session, 'INFO', { body: relay(digit) })
    await sleep(o.clock, digit === 'w' ? WAIT_MS : STEP_MS)
  }
}

function relay(digit: string): Core.Body {
  return {
    contentDisposition: 'render',
    contentType: 'application/dtmf-relay',
    content: `Signal=${digit}\r\nDuration=${KEY_MS}\r\n`,
  }
}
