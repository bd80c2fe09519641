import type { Agreement } from '../media/media.ts'
import type { RemoteSound } from './answer.ts'
import type { LocalSound } from './offer.ts'

/** What both descriptions together mean for the sound. */
export function agreementOf(o: {
  local: LocalSound
  remote: RemoteSound
  /** The address to send to: that of `remote`, or the last one named where it names none. */
  host: string
  signallingHost: string
  /** How the trunk has keys pressed: as events where the other side takes them, else as tones; or beside the sound. */
  dtmf: 'rfc4733' | 'info' | 'inband'
}): Agreement {
  const { remote, dtmf } = o
  const event = dtmf === 'rfc4733' ? remote.telephoneEventPayloadType : null
  return {
    remote: { host: o.host, port: remote.port },
    signallingHost: o.signallingHost,
    codec: remote.codec,
    payloadType: remote.payloadType,
    telephoneEventPayloadType: event,
    telephoneEventClockHz: remote.telephoneEventClockHz,
    listenForTones: event === null && dtmf !== 'info',
    direction: remote.direction,
    ptimeMs: remote.ptimeMs,
    srtp: srtpOf(o.local, remote),
    rtcp: remote.rtcp,
  }
}

function srtpOf({ keys }: LocalSound, { crypto }: RemoteSound): Agreement['srtp'] {
  if (!crypto) return null
  const ours = keys.find(({ suite }) => suite === crypto.suite)
  if (!ours) throw new Error(`encrypted sound: we have no key for ${crypto.suite}`)
  return { suite: crypto.suite, sendKey: ours.key, receiveKey: crypto.key }
}
