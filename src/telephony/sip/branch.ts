/**
 * Our Via on the wire. sip.js draws its branches from ten million and leaves out the port, so each is signed:
 * an answer to something we never sent, or to another call's branch, is told apart before it is parsed.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { readVia } from './wire-message.ts'

const SIGNATURE_BYTES = 12

export class BranchSigner {
  private readonly secret: string

  /** `secret`: random, of this process alone. */
  constructor(secret: string) {
    this.secret = secret
  }

  /** The branch that goes on the wire; the same for the same branch and Call-ID, so that CANCEL and ACK match. */
  sign(branch: string, callId: string): string {
    return `${branch}-${this.signature(branch, callId)}`
  }

  /** The branch as sip.js knows it, or undefined when we did not make it for this Call-ID. */
  open(wireBranch: string, callId: string): string | undefined {
    const dash = wireBranch.lastIndexOf('-')
    if (dash < 0) return undefined
    const branch = wireBranch.slice(0, dash)
    const given = Buffer.from(wireBranch.slice(dash + 1))
    const expected = Buffer.from(this.signature(branch, callId))
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined
    return branch
  }

  private signature(branch: string, callId: string): string {
    const mac = createHmac('sha256', this.secret).update(`${branch}\n${callId}`)
    return mac.digest().subarray(0, SIGNATURE_BYTES).toString('hex')
  }
}

/**
 * A request of sip.js as it goes out: sent-by with its port, `rport` (RFC 3581), signed branch; and without the
 * empty Supported header that sip.js writes.
 */
export function signRequest(
  text: string,
  o: { signer: BranchSigner; callId: string; sentBy: string; protocol: string },
): string {
  const line = /^Via: (.*)$/m.exec(text)
  const via = readVia(line?.[1]?.trim())
  if (!line || via?.branch === undefined) throw new Error('sending a SIP request: it has no Via')
  const branch = o.signer.sign(via.branch, o.callId)
  const signed = `Via: SIP/2.0/${o.protocol} ${o.sentBy};branch=${branch};rport`
  return text
    .replace(`${line[0].trimEnd()}\r\n`, () => `${signed}\r\n`)
    .replace(/^Supported: *\r\n/m, '')
}
