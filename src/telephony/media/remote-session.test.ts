import { describe, expect, it } from 'vitest'
import { sharedSamples } from '../../core/pcm.ts'
import type { Agreement } from './media.ts'
import type { ToWorker } from './messages.ts'
import { RemoteSession } from './remote-session.ts'

const agreed: Agreement = {
  remote: { host: '198.51.100.7', port: 4000 },
  signallingHost: '198.51.100.1',
  codec: 'PCMU',
  payloadType: 0,
  telephoneEventPayloadType: 101,
  telephoneEventClockHz: 8000,
  listenForTones: false,
  direction: 'sendrecv',
  ptimeMs: 20,
  srtp: null,
  rtcp: null,
}

function setup() {
  const posted: ToWorker[] = []
  const session = new RemoteSession('s', (message) => posted.push(message))
  session.agree(agreed)
  posted.length = 0
  const types = () => posted.map(({ type }) => type)
  return { session, posted, types }
}

describe('RemoteSession', () => {
  it('hands a clip over as the same shared memory', () => {
    const { session, posted } = setup()
    const clip = sharedSamples(160)
    session.mouth.enqueue(clip)
    const [message] = posted
    expect(message?.type === 'enqueue' && message.samples.buffer === clip.buffer).toBe(true)
  })

  it('settles playbacks as the worker tells', async () => {
    const { session } = setup()
    const first = session.mouth.enqueue(sharedSamples(160))
    const second = session.mouth.enqueue(sharedSamples(160))
    session.take({ type: 'started', session: 's', clip: 1 })
    session.take({ type: 'ended', session: 's', clip: 1, heardSamples: 100, whole: false })
    session.take({ type: 'ended', session: 's', clip: 2, heardSamples: 0, whole: false })
    expect(await first.started).toBe(true)
    expect(await first.ended).toEqual({ heardSamples: 100, whole: false })
    expect(await second.started).toBe(false)
    expect(await second.ended).toEqual({ heardSamples: 0, whole: false })
  })

  it.each(['close', 'fail'] as const)(
    'on %s tells from the ring how much was heard',
    async (how) => {
      const { session } = setup()
      const clips = [500, 400, 300].map((length) => session.mouth.enqueue(sharedSamples(length)))
      session.ears.addHeard(500)
      session.take({ type: 'ended', session: 's', clip: 1, heardSamples: 500, whole: true })
      session.ears.addHeard(160)
      const pressed = session.sendDigits('1')
      session[how]()
      await pressed
      const ended = await Promise.all(clips.map((clip) => clip.ended))
      expect(ended.map(({ heardSamples }) => heardSamples)).toEqual([500, 160, 0])
      expect(ended.map(({ whole }) => whole)).toEqual([true, false, false])
      expect(await Promise.all(clips.map((clip) => clip.started))).toEqual([true, true, false])
    },
  )

  it('is silent once it failed, and says nothing more to the worker', async () => {
    const { session, types } = setup()
    session.fail()
    await new Promise<void>((done) => session.onSilent(done))
    session.mouth.stop()
    session.close()
    const late = session.mouth.enqueue(sharedSamples(160))
    expect(await late.ended).toEqual({ heardSamples: 0, whole: false })
    expect(types()).toEqual([])
  })

  it('refuses keys that are none', async () => {
    const { session, types } = setup()
    for (const digits of ['+', '1 2', 'E', '1'.repeat(257)])
      await expect(session.sendDigits(digits)).rejects.toThrow('pressing keys')
    expect(types()).toEqual([])
  })

  it('hears at the rate of the first codec, whatever is agreed on later', () => {
    const session = new RemoteSession('s', () => undefined)
    session.agree({ ...agreed, codec: 'G722' })
    expect(session.ears.rateHz).toBe(16_000)
    const { ears } = session
    session.agree(agreed)
    expect(session.ears).toBe(ears)
  })

  it('hears at 8 kHz when it is asked before anything was agreed on', () => {
    const session = new RemoteSession('s', () => undefined)
    expect(session.ears.rateHz).toBe(8000)
    session.agree({ ...agreed, codec: 'G722' })
    expect(session.ears.rateHz).toBe(8000)
  })

  it('tells keys to who listens', () => {
    const { session } = setup()
    const keys: string[] = []
    session.take({ type: 'digit', session: 's', digit: '1' })
    session.onDigit((digit) => keys.push(digit))
    session.take({ type: 'digit', session: 's', digit: '#' })
    expect(keys).toEqual(['#'])
  })

  it('ends clips and says nothing of sound when it is closed before anything was agreed on', async () => {
    const session = new RemoteSession('s', () => undefined)
    const clip = session.mouth.enqueue(sharedSamples(160))
    session.mouth.arm(null)
    session.close()
    expect(await clip.ended).toEqual({ heardSamples: 0, whole: false })
  })

  it('keeps the last figures, also after the end', () => {
    const { session } = setup()
    const stats = { ...session.stats(), packetsSent: 5 }
    session.close()
    session.take({ type: 'closed', session: 's', stats })
    expect(session.stats().packetsSent).toBe(5)
  })
})
