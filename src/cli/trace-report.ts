/** A call's trace on a terminal: a ladder with a line for each message, then how the sound fared. 100 columns at most. */
import { isObject } from './api-client.ts'
import { toPlainLine } from './plain-text.ts'

const WIDTH = 100
const SUMMARY_WIDTH = 44

/** The lines of `GET /calls/:id/trace`. Anything may be in it: it came from elsewhere. */
export function traceLines(answer: Record<string, unknown>): string[] {
  const attempts = Array.isArray(answer.data) ? answer.data.filter(isObject) : []
  if (attempts.length === 0) return ['nothing was sent for this call, or nothing was kept of it']
  return attempts.flatMap(attemptLines).map((line) => cut(line, WIDTH))
}

function attemptLines(attempt: Record<string, unknown>): string[] {
  const messages = Array.isArray(attempt.messages) ? attempt.messages.filter(isObject) : []
  const begin = Date.parse(String(messages[0]?.at))
  const omitted = Number(attempt.omitted) || 0
  return [
    `attempt ${attempt.attempt}`,
    ...messages.map((message) => messageLine(message, begin)),
    ...(omitted > 0 ? [`  ${count(omitted, 'message')} between them not kept`] : []),
    ...(isObject(attempt.media) ? soundLines(attempt.media) : ['  no sound was agreed on']),
  ]
}

function messageLine(message: Record<string, unknown>, begin: number): string {
  const seconds = ((Date.parse(String(message.at)) - begin) / 1000).toFixed(3)
  const arrow = message.direction === 'sent' ? '-->' : '<--'
  const again = Number(message.repeated) > 0 ? ` (again ${Number(message.repeated)}x)` : ''
  const summary = cut(toPlainLine(String(message.summary)), SUMMARY_WIDTH - again.length)
  const where = `${message.trunk} ${String(message.transport).toLowerCase()} ${message.remote}`
  const told = `${summary}${again}`.padEnd(SUMMARY_WIDTH)
  return `${seconds.padStart(9)} s  ${arrow}  ${told}  ${toPlainLine(where)}`
}

function soundLines(media: Record<string, unknown>): string[] {
  const number = (name: string): string => String(Math.round(Number(media[name]) || 0))
  const encrypted = media.encrypted === true ? ', encrypted' : ''
  const loss = ['lost', 'late', 'duplicate', 'foreign', 'unauthentic'].map(
    (name) => `${number(`packets${name[0]?.toUpperCase()}${name.slice(1)}`)} ${name}`,
  )
  const made = `concealed ${number('concealedMs')} ms, jitter ${toMs(media.jitterMs)}`
  return [
    `  sound: ${toPlainLine(String(media.codec))}, ${number('ptimeMs')} ms a packet${encrypted}`,
    `    sent      ${number('packetsSent')} packets, ${number('bytesSent')} bytes`,
    `    received  ${number('packetsReceived')} packets, ${number('bytesReceived')} bytes; ${made}`,
    `              ${loss.join(', ')}, ${count(Number(media.ssrcChanges) || 0, 'change')} of stream`,
    `    ${isObject(media.remote) ? reported(media.remote) : 'they report nothing (no RTCP)'}`,
  ]
}

function reported(remote: Record<string, unknown>): string {
  const trip = remote.roundTripMs === null ? 'unknown' : toMs(remote.roundTripMs)
  const jitter = toMs(remote.jitterMs)
  return `they report ${Number(remote.packetsLost) || 0} lost, jitter ${jitter}, round trip ${trip}`
}

function toMs(value: unknown): string {
  return `${(Number(value) || 0).toFixed(1)} ms`
}

function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`
}

function cut(line: string, width: number): string {
  return line.length <= width ? line : `${line.slice(0, width - 1)}…`
}
