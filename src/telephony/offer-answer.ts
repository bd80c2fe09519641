/** The offers and answers of one dialog (RFC 3264): what we said last, what they said last, and what both mean. */
import type { Agreement, CodecName } from './media/media.ts'
import { agreementOf } from './sdp/agreement.ts'
import { type RemoteSound, readSound } from './sdp/answer.ts'
import { type LocalSound, renderAnswer, renderOffer } from './sdp/offer.ts'

interface Terms {
  /** What we say of ourselves; the version of the first description. */
  local: LocalSound
  /** In order of preference. */
  codecs: readonly CodecName[]
  dtmf: 'rfc4733' | 'info' | 'inband'
}

export class OfferAnswer {
  private readonly terms: Terms
  private version: number
  /** Our last description; empty before the first. */
  private said = ''
  private theirs: RemoteSound | null = null
  /** The last address that they named: a hold by `0.0.0.0` does not forget it. */
  private host: string | null = null
  private awaiting = false

  constructor(terms: Terms) {
    this.terms = terms
    this.version = terms.local.version
  }

  /** What another dialog of the same INVITE begins with: the same offer, no answer yet. */
  fork(): OfferAnswer {
    const fork = new OfferAnswer(this.terms)
    fork.said = this.said
    fork.awaiting = this.said !== ''
    return fork
  }

  /** Whether an offer of ours has no answer yet. */
  get pending(): boolean {
    return this.awaiting
  }

  /** Whether both sides have said something. */
  get complete(): boolean {
    return this.theirs !== null
  }

  /** Whether the other side holds us. */
  get held(): boolean {
    return this.theirs?.direction === 'recvonly' || this.theirs?.direction === 'inactive'
  }

  /** An offer of all that we can, the codec in use first: staying with it spares the other side a change. */
  offer(): string {
    this.awaiting = true
    return this.say((local) =>
      renderOffer(local, { codecs: this.codecs(), telephoneEvent: this.takesEvents }),
    )
  }

  /** Our last description as an offer that changes nothing: to the byte, its version included (RFC 3264 §8). */
  repeat(): string {
    this.awaiting = true
    return this.said
  }

  /** The offer was refused, or is lost: all is as it was before it. */
  withdraw(): void {
    this.awaiting = false
  }

  /** Their answer to our offer. A sentence when it cannot be used; then nothing has changed. */
  answered(body: string): { refused: string } | null {
    const { local } = this.terms
    const sound = readSound(body, {
      codecs: this.terms.codecs,
      srtp: local.srtp,
      offeredKeys: local.keys,
    })
    if ('refused' in sound) return sound
    this.awaiting = false
    this.adopt(sound)
    return null
  }

  /** Our answer to their offer, which is agreed on with it; a sentence when we have none, and nothing has changed. */
  answer(offer: string): { answer: string } | { refused: string } {
    const sound = readSound(offer, { codecs: this.codecs(), srtp: this.terms.local.srtp })
    if ('refused' in sound) return sound
    this.adopt(sound)
    const telephoneEvent = this.takesEvents
    return { answer: this.say((local) => renderAnswer(local, sound, { telephoneEvent })) }
  }

  /** What both descriptions mean for the sound. Throws before both sides have said something. */
  agreement(signallingHost: string): Agreement {
    const { local, dtmf } = this.terms
    if (!this.theirs) throw new Error('agreeing on sound: the other side has said nothing of it')
    // Who begins on hold names no address: until it does, we are ready to be reached from where it signals.
    const host = this.host ?? signallingHost
    return agreementOf({ local, remote: this.theirs, host, signallingHost, dtmf })
  }

  private adopt(sound: RemoteSound): void {
    this.theirs = sound
    if (sound.host !== null) this.host = sound.host
  }

  private get takesEvents(): boolean {
    return this.terms.dtmf === 'rfc4733'
  }

  private codecs(): readonly CodecName[] {
    const current = this.theirs?.codec
    const { codecs } = this.terms
    return current ? [current, ...codecs.filter((codec) => codec !== current)] : codecs
  }

  /** The version grows only with a description that differs from the last (RFC 3264 §8). */
  private say(render: (local: LocalSound) => string): string {
    const { local } = this.terms
    if (this.said === '') this.said = render(local)
    else if (render({ ...local, version: this.version }) !== this.said) {
      this.version++
      this.said = render({ ...local, version: this.version })
    }
    return this.said
  }
}
