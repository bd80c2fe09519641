import type { Config } from './config.ts'
import { type ConfigError, wrongSetting } from './config-error.ts'

/** What single values cannot show: rules between several. `originOf` tells where a key was given. Throws ConfigError. */
export function checkConfig(config: Config, originOf: (key: string) => string): void {
  const fail = (key: string, value: unknown, wrong: string): ConfigError =>
    wrongSetting({ key, value: JSON.stringify(value), wrong, where: originOf(key) })
  const { http, sip, speech, llm } = config

  if (http.tlsCertFile && !http.tlsKeyFile)
    throw fail('http.tls_cert_file', http.tlsCertFile, 'needs http.tls_key_file beside it')
  if (http.tlsKeyFile && !http.tlsCertFile)
    throw fail('http.tls_key_file', http.tlsKeyFile, 'needs http.tls_cert_file beside it')
  checkRtpPorts(config, fail, originOf)
  checkTrunks(sip.trunks, fail)
  if (speech.stt.engine === 'openai' && !speech.stt.url)
    throw fail('speech.stt.engine', 'openai', 'needs speech.stt.url')
  if (speech.tts.engine === 'openai' && !speech.tts.url)
    throw fail('speech.tts.engine', 'openai', 'needs speech.tts.url')
  if (llm.engine === 'scripted' && !llm.script)
    throw fail('llm.engine', 'scripted', 'needs llm.script, a dialogue file')
}

type Fail = (key: string, value: unknown, wrong: string) => ConfigError

/** A call takes an even port for RTP and the odd one above it for RTCP (RFC 3550 §11). */
function checkRtpPorts(
  { calls, sip }: Config,
  fail: Fail,
  originOf: (key: string) => string,
): void {
  const { from, to } = sip.rtpPorts
  const count = to - from + 1
  const range = `${from}-${to}`
  const needed = 2 * calls.maxConcurrent
  if (count < needed && originOf('sip.rtp_ports') !== 'default')
    throw fail(
      'sip.rtp_ports',
      range,
      `is ${count} ports, but calls.max_concurrent = ${calls.maxConcurrent} needs ${needed}`,
    )
  if (count < needed)
    throw fail(
      'calls.max_concurrent',
      calls.maxConcurrent,
      `needs ${needed} ports, but sip.rtp_ports = "${range}" is ${count}`,
    )
  if (sip.port >= from && sip.port <= to)
    throw fail('sip.rtp_ports', range, `must not contain sip.port = ${sip.port}`)
}

function checkTrunks(trunks: Config['sip']['trunks'], fail: Fail): void {
  const names = new Set<string>()
  for (const [index, trunk] of trunks.entries()) {
    const path = `sip.trunks[${index}]`
    if (names.has(trunk.name)) throw fail(`${path}.name`, trunk.name, 'names another trunk already')
    names.add(trunk.name)
    if (trunk.codecs.length === 0) throw fail(`${path}.codecs`, [], 'must name at least one codec')
    if (new Set(trunk.codecs).size < trunk.codecs.length)
      throw fail(`${path}.codecs`, trunk.codecs, 'must not name a codec twice')
    if (trunk.password && !trunk.username)
      throw fail(`${path}.password`, '[secret]', 'needs username beside it')
    if (trunk.register && !(trunk.username && trunk.password))
      throw fail(`${path}.register`, true, 'needs username and password')
  }
}
