/** One call over one trunk: what it needs is opened, and what went wrong is an outcome. */
import type { DialRequest } from '../calls/ports.ts'
import { reasonOf } from '../core/errors.ts'
import type { MediaSession } from './media/media.ts'
import { canceled, trunkError } from './outcome.ts'
import { type DialDeps, type DialResult, HookError, OutgoingCall } from './outgoing-call.ts'
import type { TrunkAgent } from './sip/trunk-agent.ts'

export type { DialDeps, DialResult }

/** Never throws for what the other side does; throws what `beforeInvite` threw. */
export async function dialOver(
  agent: TrunkAgent,
  request: DialRequest,
  deps: DialDeps,
): Promise<DialResult> {
  let media: MediaSession | undefined
  try {
    const route = await agent.resolve()
    media = await deps.media.open()
    if (request.signal.aborted) {
      media.close()
      return { dialed: canceled(null), mayHaveRung: false }
    }
    return await new OutgoingCall(agent, { request, deps, route, media }).run()
  } catch (error) {
    media?.close()
    if (error instanceof HookError) throw error.cause
    return { dialed: trunkError(reasonOf(error)), mayHaveRung: false }
  }
}
