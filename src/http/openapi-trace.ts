/** The shape of a call's trace, as `calls/call-trace.ts` renders it. */

const text = { type: 'string' }
const count = { type: 'integer', minimum: 0 }
const ms = { type: 'number', minimum: 0 }
const time = { type: 'string', format: 'date-time', examples: ['2026-03-20T18:30:00.000Z'] }

function object<P extends Record<string, object>>(properties: P, type: unknown = 'object') {
  return { type, properties, required: Object.keys(properties) }
}

const message = object({
  at: time,
  direction: { type: 'string', enum: ['sent', 'received'] },
  trunk: text,
  transport: { type: 'string', enum: ['UDP', 'TCP', 'TLS'] },
  remote: { ...text, description: "The other side's address and port." },
  summary: { ...text, examples: ['200 OK (INVITE)'] },
  text: {
    ...text,
    description: 'As it was on the wire, 8 KiB at most; credentials, nonces and keys are blanked.',
  },
  repeated: { ...count, description: 'How often the same message passed again.' },
})

const media = {
  ...object(
    {
      codec: { type: ['string', 'null'] },
      ptimeMs: { type: ['integer', 'null'], description: 'Sound in one packet of ours.' },
      encrypted: { type: 'boolean' },
      packetsSent: count,
      packetsReceived: count,
      bytesSent: { ...count, description: 'Of RTP packets, headers included.' },
      bytesReceived: count,
      packetsLost: count,
      packetsLate: { ...count, description: 'Came after they had been given up.' },
      packetsDuplicate: count,
      packetsForeign: { ...count, description: 'Dropped: not from the agreed source.' },
      packetsUnauthentic: { ...count, description: 'Dropped: SRTP could not vouch for them.' },
      concealedMs: { ...ms, description: 'Sound made up in place of what was lost.' },
      jitterMs: ms,
      ssrcChanges: { ...count, description: 'How often they went on as another stream.' },
      digitsReceived: count,
      remote: {
        ...object(
          {
            packetsLost: count,
            jitterMs: ms,
            roundTripMs: { type: ['number', 'null'], minimum: 0 },
          },
          ['object', 'null'],
        ),
        description: 'What the other side reports by RTCP of what we send.',
      },
    },
    ['object', 'null'],
  ),
  description: 'Null when no sound was agreed on.',
}

export const attemptTrace = object({
  attempt: { type: 'integer', minimum: 1 },
  messages: { type: 'array', items: message },
  omitted: { ...count, description: 'Messages from the middle that were too many to keep.' },
  media,
})
