/** Requests inside a dialog, both ways, as far as sip.js's dialog has no hand for them. */
import * as Core from 'sip.js/lib/core/index.js'

/** What a dialog of sip.js is beside its public type. */
interface Inside {
  dialogState: { remoteTarget: Core.URI }
  userAgentCore: Core.UserAgentCore
  sequenceGuard(message: Core.IncomingRequestMessage): boolean
  receiveRequest(message: Core.IncomingRequestMessage): void
  createOutgoingRequestMessage(
    method: string,
    options?: Core.RequestOptions,
  ): Core.OutgoingRequestMessage
}

export interface RequestHandlers {
  /** RFC 3311. To be answered at once. */
  onUpdate(request: Core.IncomingRequest & { message: Core.IncomingRequestMessage }): void
  /** Whether an INVITE or an offer of ours is on its way: then theirs gets 491 (RFC 3261 §14.2). */
  busy(): boolean
}

const handlersOf = new WeakMap<Core.Session, RequestHandlers>()

/** Hands UPDATEs of a dialog to `handlers` and refuses re-INVITEs that cross ours; asked again, the last counts. */
export function takeRequests(session: Core.Session, handlers: RequestHandlers): void {
  const known = handlersOf.has(session)
  handlersOf.set(session, handlers)
  if (known) return
  const dialog = inside(session)
  const pass = dialog.receiveRequest.bind(dialog)
  dialog.receiveRequest = (message) => {
    const current = handlersOf.get(session) ?? handlers
    const crossed = message.method === 'INVITE' && current.busy()
    if (message.method !== 'UPDATE' && !crossed) return pass(message)
    if (!dialog.sequenceGuard(message)) return
    Core.Dialog.prototype.receiveRequest.call(dialog as unknown as Core.Dialog, message)
    const core = dialog.userAgentCore
    if (crossed) {
      new Core.UserAgentServer(Core.InviteServerTransaction, core, message).reject({
        statusCode: 491,
      })
      return
    }
    retarget(session, message)
    current.onUpdate(new Core.UserAgentServer(Core.NonInviteServerTransaction, core, message))
  }
}

/** A request that refreshes the target, or a 2xx to one, says where the other side is from now on (RFC 6141 §4). */
export function retarget(session: Core.Session, message: Core.IncomingMessage): void {
  const contact: unknown = message.parseHeader('contact')
  if (contact instanceof Core.NameAddrHeader) inside(session).dialogState.remoteTarget = contact.uri
}

/** Sends a request inside a dialog; challenged, it is sent again with the dialog's next CSeq. */
export function sendInside(
  session: Core.Session,
  method: 'UPDATE' | 'REFER' | 'PRACK' | 'INFO',
  o: Core.RequestOptions,
  delegate: Core.OutgoingRequestDelegate = {},
): void {
  const dialog = inside(session)
  new InsideClient(dialog, dialog.createOutgoingRequestMessage(method, o), delegate)
}

class InsideClient extends Core.UserAgentClient {
  private readonly dialog: Core.Dialog

  constructor(
    dialog: Inside,
    message: Core.OutgoingRequestMessage,
    delegate: Core.OutgoingRequestDelegate,
  ) {
    super(Core.NonInviteClientTransaction, dialog.userAgentCore, message, delegate)
    this.dialog = dialog as unknown as Core.Dialog
  }

  /** Without the dialog sip.js would use its next CSeq and leave it to the next request too. */
  protected override authenticationGuard(message: Core.IncomingResponseMessage): boolean {
    return super.authenticationGuard(message, this.dialog)
  }
}

function inside(session: Core.Session): Inside {
  return session as unknown as Inside
}
