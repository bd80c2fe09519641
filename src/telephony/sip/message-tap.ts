/** Who wants to see the messages of a call, by its Call-ID; looked at as each passes the transport, and free for nobody. */
import type { Endpoint } from './transport.ts'

export interface Passing {
  direction: 'sent' | 'received'
  /** As on the wire, latin1. */
  text: string
  remote: Endpoint
}

export type Listener = (passing: Passing) => void

/** Folded Call-IDs are nobody's: sip.js and we write them on one line, and what cannot be found is not recorded. */
const CALL_ID = /\r\n(?:call-id|i)[ \t]*:[ \t]*([^\r\n]*)/i

export class MessageTap {
  private readonly listeners = new Map<string, Listener>()
  /** What came last. */
  private latest: Passing | null = null

  /**
   * Tells `listener` every message with this Call-ID until the returned function is called, beginning with the one that
   * came last where that is such a one: an INVITE is handled before anybody knows that it begins a call.
   */
  listen(callId: string, listener: Listener): () => void {
    this.listeners.set(callId, listener)
    if (this.latest && callIdOf(this.latest.text) === callId) listener(this.latest)
    return () => {
      if (this.listeners.get(callId) === listener) this.listeners.delete(callId)
    }
  }

  /** A message passed. Never throws: a call does not break because it is looked at. */
  passed(direction: Passing['direction'], text: string, remote: Endpoint): void {
    const passing = { direction, text, remote }
    if (direction === 'received') this.latest = passing
    if (this.listeners.size === 0) return
    const callId = callIdOf(text)
    const listener = callId === undefined ? undefined : this.listeners.get(callId)
    try {
      listener?.(passing)
    } catch {
      // What cannot be shown is not shown.
    }
  }
}

function callIdOf(text: string): string | undefined {
  return CALL_ID.exec(text)?.[1]?.trim()
}
