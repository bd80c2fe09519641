import type { SrtpKeys } from '../media/media.ts'
import { SrtpReceiver, SrtpSender } from './srtp.ts'

/** SRTP of one call in both directions, through changes of its keys; passes everything through where there is none. */
export class SrtpSession {
  /** Packets that nobody vouched for. */
  refused = 0
  private keys: SrtpKeys | null = null
  private sender: SrtpSender | undefined
  private receiver: SrtpReceiver | undefined
  /** Of the key before, for what is still under way, until something came under the new one. */
  private fading: SrtpReceiver | undefined
  /** How many keys were used for sending. */
  private generation = 0

  get isOn(): boolean {
    return this.keys !== null
  }

  /**
   * Takes the keys that are agreed on now; the same again change nothing. True when what is sent from here on has to
   * be another stream: nothing may go twice under one key. Throws when a key is none.
   */
  agree(keys: SrtpKeys | null): boolean {
    const before = this.keys
    if (!keys) {
      this.keys = null
      this.sender = undefined
      this.receiver = undefined
      this.fading = undefined
      return false
    }
    const { suite } = keys
    const sameSuite = before?.suite === suite
    if (!sameSuite || before.receiveKey !== keys.receiveKey) {
      this.fading = this.receiver
      this.receiver = new SrtpReceiver(suite, keys.receiveKey, this.receiver)
    }
    const newSender = !sameSuite || before.sendKey !== keys.sendKey
    if (newSender) this.sender = new SrtpSender(suite, keys.sendKey)
    this.keys = keys
    return newSender && this.generation++ > 0
  }

  /** SSRC and first sequence number of the stream that begins with a new key. */
  freshStream(first: { ssrc: number; sequence: number }): [ssrc: number, sequence: number] {
    return [(first.ssrc + this.generation) >>> 0, first.sequence]
  }

  /** What to put on the wire for `packet`, which lies at the beginning of `memory`. */
  protect(memory: Uint8Array, packet: Uint8Array): Uint8Array {
    if (!this.sender) return packet
    return memory.subarray(0, this.sender.protect(memory, packet.length))
  }

  protectControl(memory: Uint8Array, length: number): Uint8Array {
    return memory.subarray(0, this.sender?.protectControl(memory, length) ?? length)
  }

  /** The packet as it was sent; undefined where nobody vouches for it. */
  unprotect(packet: Uint8Array): Uint8Array | undefined {
    if (!this.receiver) return packet
    return this.vouched(this.receiver.unprotect(packet), () => this.fading?.unprotect(packet))
  }

  unprotectControl(packet: Uint8Array): Uint8Array | undefined {
    if (!this.receiver) return packet
    return this.vouched(this.receiver.unprotectControl(packet), () =>
      this.fading?.unprotectControl(packet),
    )
  }

  private vouched(
    plain: Uint8Array | undefined,
    byKeyBefore: () => Uint8Array | undefined,
  ): Uint8Array | undefined {
    if (plain) this.fading = undefined
    const known = plain ?? byKeyBefore()
    if (!known) this.refused++
    return known
  }
}
