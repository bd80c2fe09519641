/**
 * Ways back: a response goes over the connection that its request came on (RFC 3261 §18.2.2), and sip.js remembers
 * nothing of a request's way but its Via. So the Via that sip.js sees carries a token for the connection.
 */
import { protocolOf, type Source } from './transport.ts'

const PARAM = 'landline-way'
/** More connections than can be open at once. */
const MAX_WAYS = 256

export class ReturnPaths {
  private readonly tokens = new Map<string, string>()
  private readonly sources = new Map<string, Source>()
  private last = 0

  /** A Via value with the token of `source`; as it is for datagrams, whose way back the Via tells. */
  mark(via: string, source: Source): string {
    return protocolOf(source) === 'UDP' ? via : `${via};${PARAM}=${this.tokenOf(source)}`
  }

  /** A message without the token, and the source that it stands for. */
  unmark(text: string): { text: string; source: Source | undefined } {
    const match = new RegExp(`;${PARAM}=(\\d+)`).exec(text)
    if (!match) return { text, source: undefined }
    return { text: text.replace(match[0], ''), source: this.sources.get(match[1] ?? '') }
  }

  private tokenOf(source: Source): string {
    const key = JSON.stringify(source)
    const known = this.tokens.get(key)
    if (known) return known
    const token = String(++this.last)
    this.tokens.set(key, token)
    this.sources.set(token, source)
    for (const [oldest, itsToken] of this.tokens) {
      if (this.tokens.size <= MAX_WAYS) break
      this.tokens.delete(oldest)
      this.sources.delete(itsToken)
    }
    return token
  }
}
