import { exerciseTrunk, type TrunkUnderTest } from '../conformance/trunk.ts'
import type { Phone } from '../kit/fake-trunk.ts'
import { ANSWER_SDP, type Received, ScriptedUas } from '../kit/scripted-uas.ts'
import { startSipSide, trunkOptions } from '../kit/sip-side.ts'

/** A phone that does as it is told, over real SIP. */
function behave(uas: ScriptedUas, phone: () => Phone): void {
  const over = new Set<string>()
  const invites = new Map<string, Received>()
  uas.onMessage = (received) => {
    const { method, kind } = received.message
    const callId = received.message.callId ?? ''
    if (kind !== 'request' || method === 'ACK') return
    if (method === 'INVITE' && !invites.has(callId)) {
      const { ringsAfter = 10, answersAfter = 60, status = 200 } = phone()
      invites.set(callId, received)
      const later = (ms: number | null, answer: () => void): void => {
        if (ms !== null) setTimeout(() => !over.has(callId) && answer(), ms)
      }
      uas.reply(received, 100)
      later(ringsAfter, () => uas.reply(received, 180))
      later(answersAfter, () =>
        uas.reply(received, status, status === 200 ? { body: ANSWER_SDP() } : {}),
      )
    }
    if (method === 'CANCEL' || method === 'BYE') uas.reply(received, 200)
    if (method !== 'CANCEL') return
    over.add(callId)
    const invite = invites.get(callId)
    if (invite) uas.reply(invite, 487)
  }
}

exerciseTrunk('the telephony over loopback', async (): Promise<TrunkUnderTest> => {
  const uas = await ScriptedUas.open()
  const side = await startSipSide([trunkOptions(uas.port)])
  let phone: Phone = {}
  behave(uas, () => phone)
  return {
    trunk: side.telephony.trunk,
    phone(told) {
      phone = told
      if (told.dead === 'refused') uas.close()
    },
    requests() {
      const requests = uas.received.filter(
        ({ message }) => message.kind === 'request' && message.method !== 'ACK',
      )
      const once = new Map(
        requests.map(({ message }) => [`${message.callId} ${message.method}`, message]),
      )
      return [...once.values()].map(({ method }) => method)
    },
    hangUp() {
      const invite = uas.all('INVITE').at(-1)
      if (invite) uas.request('BYE', invite)
    },
    pass: (ms) => Bun.sleep(ms),
    settled: (promise) => promise,
    async close() {
      await side.telephony.stop()
      if (phone.dead !== 'refused') uas.close()
    },
  }
})
