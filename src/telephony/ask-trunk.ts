/** Whether a trunk is there, asked from beside a server: OPTIONS (RFC 3261 §11), which binds and rings nothing. */
import type { Clock } from '../core/clock.ts'
import { reasonOf } from '../core/errors.ts'
import type { Ids } from '../core/ids.ts'
import type { Probe } from '../core/probe.ts'
import { shownPhrase } from './sip/phrase.ts'
import { isRefused } from './sip/route.ts'
import { protocolOf } from './sip/transport.ts'
import type { TrunkAgent } from './sip/trunk-agent.ts'

/** With its name looked up; OPTIONS is sent again three times meanwhile. */
const PATIENCE_MS = 3_000

/**
 * Any response shows that the trunk is there, a refusal too: what it thinks of us is told, not judged. Whether it is
 * registered only the running server knows. Resolves within 3 s and never rejects.
 */
export async function askTrunk(
  agent: TrunkAgent,
  deps: { clock: Clock; ids: Ids },
): Promise<Probe> {
  const name = `trunk ${agent.options.name}`
  const away = (reason: string): Probe => ({
    name,
    state: 'away',
    reason,
    mend: `check host and port of the trunk ${agent.options.name}`,
  })
  return new Promise((done) => {
    let waitsFor = `no address of ${agent.options.host}`
    const forget = deps.clock.after(PATIENCE_MS, () =>
      done(away(`${waitsFor} within ${PATIENCE_MS / 1_000} s`)),
    )
    const finish = (probe: Probe): void => {
      forget()
      done(probe)
    }
    agent
      .resolve()
      .then(async ({ destination }) => {
        waitsFor = 'no answer to OPTIONS'
        sendOptions(agent, deps.ids, (answer) =>
          finish(
            answer === null
              ? away('OPTIONS could not be sent')
              : { name, state: 'ready', reason: `it answers OPTIONS: ${answer}` },
          ),
        )
        const { host, port } = destination
        // Over TCP and TLS it is connected by now.
        if (protocolOf(destination) === 'UDP' && (await isRefused(deps.clock, destination)))
          finish(away(`nothing listens for SIP at ${host} port ${port}`))
      })
      .catch((error) => finish(away(reasonOf(error))))
  })
}

/** `onAnswer` gets status and phrase, or null when it cannot leave. */
function sendOptions(agent: TrunkAgent, ids: Ids, onAnswer: (answer: string | null) => void): void {
  const own = agent.uri(agent.contactUser)
  const to = agent.uri(null)
  const o = { callId: ids.uuid(), fromTag: ids.hex(8), cseq: 1 }
  const message = agent.core.makeOutgoingRequestMessage('OPTIONS', to, own, to, o, [
    'Accept: application/sdp',
  ])
  const onFinal = ({ message: answer }: { message: FinalMessage }): void => {
    // sip.js makes a message of its own, without a Via, for a timer and for a transport that failed.
    if (answer.via === undefined) onAnswer(null)
    else onAnswer(`${answer.statusCode} ${shownPhrase(answer.reasonPhrase)}`.trim())
  }
  agent.core.request(message, { onAccept: onFinal, onReject: onFinal, onRedirect: onFinal })
}

type FinalMessage = {
  via?: unknown
  statusCode?: number | undefined
  reasonPhrase?: string | undefined
}
