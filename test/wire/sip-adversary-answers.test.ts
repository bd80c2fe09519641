import { createHash } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Dialed } from '../../src/calls/ports.ts'
import { ANSWER_SDP, type Received, ScriptedUas } from '../kit/scripted-uas.ts'
import { sdpOf } from '../kit/sip-dialog.ts'
import { type SipSide, startSipSide, trunkOptions } from '../kit/sip-side.ts'

let uas: ScriptedUas
let side: SipSide

beforeEach(async () => {
  uas = await ScriptedUas.open()
  side = await startSipSide([trunkOptions(uas.port, { username: 'user', password: 'secret' })])
})

afterEach(async () => {
  await side.telephony.stop()
  uas.close()
})

/** Dials; INVITEs are answered by `answer`, all else by 200. */
function call(answer: (invite: Received, n: number) => void): Promise<Dialed> {
  let invites = 0
  uas.onMessage = (received) => {
    const { kind, method } = received.message
    if (kind !== 'request' || method === 'ACK') return
    if (method === 'INVITE') answer(received, ++invites)
    else uas.reply(received, 200)
  }
  return side.dial().dialed
}

/** Answers with what `change` makes of a good 200. */
async function answeredBy(change: (good: string) => string): Promise<Dialed> {
  return call((invite) => {
    // Only the text of a good answer is wanted: what is sent is the changed one.
    const silent = { ...invite, from: { host: '127.0.0.1', port: 9 } }
    const good = uas.reply(silent, 200, { body: ANSWER_SDP() })
    uas.send(change(good), invite.from)
  })
}

async function isCall(dialed: Dialed): Promise<void> {
  if (!('answered' in dialed)) throw new Error(JSON.stringify(dialed))
  await uas.wait('ACK')
  expect(side.media.sessions[0]?.agreements.at(-1)?.remote.port).toBe(40_000)
  await dialed.answered.hangup()
  expect(uas.all('BYE').length).toBe(1)
}

describe('an answer that is a call all the same', () => {
  it.each<[string, (good: string) => string]>([
    [
      'with headers that nobody reads and that make no sense',
      (t) =>
        t.replace(
          '\r\nCall-ID',
          [
            '',
            'WWW-Authenticate: Negotiate',
            'Proxy-Authenticate: Basic realm=x, =',
            'Refer-To: nonsense <<<',
            'Max-Forwards: many',
            'Date: yesterday',
            'Allow: ,,INVITE',
            'Supported: ,',
            'Reason: SIP;cause',
            'P-Asserted-Identity: <<>>',
            'Session-Expires: soon;refresher=nobody',
            'Warning: ;;;',
            'Call-ID',
          ].join('\r\n'),
        ),
    ],
    [
      'with a Contact whose host has an underscore',
      (t) => t.replace(/Contact: .*/, 'Contact: <sip:trunk@my_sbc_1:5060>'),
    ],
    [
      'with a Contact that ends in a dot',
      (t) => t.replace(/Contact: <sip:uas@127.0.0.1/, 'Contact: <sip:uas@localhost.'),
    ],
    ['with a Contact that cannot be read', (t) => t.replace(/Contact: .*/, 'Contact: "open <<')],
    [
      'with two Contacts, one of them a telephone number',
      (t) => t.replace(/(Contact: .*)\r\n/, '$1, <tel:+15551234567>\r\n'),
    ],
    ['with no Contact', (t) => t.replace(/Contact: .*\r\n/, '')],
    ['with no Content-Type', (t) => t.replace(/Content-Type: .*\r\n/, '')],
    [
      'with a Content-Type that has parameters without an end',
      (t) => t.replace('application/sdp', 'application/sdp ; charset="utf-8'),
    ],
    ['with no Content-Length', (t) => t.replace(/Content-Length: .*\r\n/, '')],
    ['with bytes behind its body', (t) => `${t}\r\n\0\0more`],
    ['with a lower-case version', (t) => t.replace(/^SIP/, 'sip')],
    ['with empty lines before it', (t) => `\r\n\r\n${t}`],
    ['with a reason in Cyrillic', (t) => t.replace('Scripted', '\xd0\x9e\xd0\x9a')],
    ['with a reason that is an escape sequence', (t) => t.replace('Scripted', '\x1b[2J\x07')],
    ['with no reason', (t) => t.replace(' Scripted', '')],
    ['with compact names', (t) => t.replace('Contact', 'm').replace('Content-Type', 'c')],
    ['with folded lines', (t) => t.replace('To: ', 'To:\r\n\t ').replace(';tag=', '\r\n ;tag = ')],
    [
      'with its description among other parts',
      (t) =>
        withBody(
          t,
          'multipart/mixed;boundary="b 1"',
          `preamble\r\n--b 1\r\nContent-Type: application/isup;version=x\r\n\r\n\x01\0m=audio 1 RTP/AVP 0\r\n--b 1\r\nContent-Type: application/sdp\r\nContent-Disposition: session\r\n\r\n${ANSWER_SDP()}\r\n--b 1--\r\n`,
        ),
    ],
  ])('%s', async (_what, change) => {
    await isCall(await answeredBy(change))
  })

  it.each<[string, string]>([
    ['with bare line feeds', ANSWER_SDP().replaceAll('\r\n', '\n')],
    ['with tabs', ANSWER_SDP().replaceAll(' ', '\t')],
    ['without an end of line at the end', ANSWER_SDP().trimEnd()],
    ['with spaces at the ends of its lines', ANSWER_SDP().replaceAll('\r\n', '  \r\n')],
    ['without o=, s= and t=', ANSWER_SDP().replace(/^[ost]=.*\r\n/gm, '')],
    ['with a number of ports', ANSWER_SDP().replace('40000', '40000/1')],
    ['with a mask behind its address', ANSWER_SDP().replace('c=IN IP4 127.0.0.1', '$&/127')],
    [
      'with fmtp twice and for nothing',
      `${ANSWER_SDP()}a=fmtp:101 0-15\r\na=fmtp:101\r\na=fmtp:99 x\r\na=fmtp:\r\n`,
    ],
    [
      'with rtpmaps of types that it does not use',
      `${ANSWER_SDP()}a=rtpmap:8 G729/8000\r\na=rtpmap:300 x/1\r\na=rtpmap:\r\n`,
    ],
    ['with lengths of packets that make no sense', `${ANSWER_SDP()}a=ptime:0\r\na=maxptime:-5\r\n`],
    ['with a ptime of a year', ANSWER_SDP().replace('ptime:20', 'ptime:31536000000')],
    ['with a refused stream first', ANSWER_SDP().replace('m=', 'm=audio 0 RTP/AVP 8\r\nm=')],
    ['with several streams', `${ANSWER_SDP()}m=audio 40002 RTP/AVP 0\r\nm=video 0 RTP/AVP 31\r\n`],
    [
      'with ICE, DTLS and unknown lines',
      `${ANSWER_SDP()}a=ice-ufrag:x\r\na=candidate:1 1 UDP\r\na=fingerprint:sha-1 00\r\nq=?\r\nnot a line\r\n=\r\n`,
    ],
    ['on hold by its address', ANSWER_SDP().replace('c=IN IP4 127.0.0.1', 'c=IN IP4 0.0.0.0')],
    ['on hold by its direction', sdpOf({ direction: 'inactive' })],
  ])('whose description comes %s', async (_what, body) => {
    await isCall(await call((invite) => uas.reply(invite, 200, { body })))
  })
})

describe('an answer without sound that can be used is acknowledged and hung up', () => {
  it.each<[string, string]>([
    ['nothing', ''],
    ['no stream', ANSWER_SDP().replace(/m=[\s\S]*/, '')],
    ['a stream that is refused', ANSWER_SDP().replace('m=audio 40000', 'm=audio 0')],
    ['a codec that is another by its name', sdpOf({ formats: [[0, 'G729/8000']] })],
    ['no codec of ours', sdpOf({ formats: [[18, 'G729/8000']] })],
    ['a host name', ANSWER_SDP().replace('c=IN IP4 127.0.0.1', 'c=IN IP4 media.invalid')],
    ['everybody', ANSWER_SDP().replace('c=IN IP4 127.0.0.1', 'c=IN IP4 255.255.255.255')],
    ['a port beyond all ports', ANSWER_SDP().replace('40000', '99999')],
    ['video only', ANSWER_SDP().replace('m=audio', 'm=video')],
    ['encryption that nobody asked for', ANSWER_SDP().replace('RTP/AVP', 'UDP/TLS/RTP/SAVPF')],
    ['7 KB of the same line', ANSWER_SDP() + 'a=x:y\r\n'.repeat(900)],
    ['a page', '<html><body>200 OK</body></html>'],
    ['zeros', '\0'.repeat(200)],
  ])('%s', async (_what, body) => {
    const dialed = await call((invite) => uas.reply(invite, 200, { body }))
    expect(dialed).toMatchObject({ failed: 'trunk_error' })
    await uas.wait('ACK')
    await uas.wait('BYE')
    expect(side.media.sessions.every(({ closed }) => closed)).toBe(true)
  })
})

describe('a response that is not the final word', () => {
  it.each<[string, number, string[]]>([
    ['100 with a Contact that cannot be read', 100, ['Contact: <<']],
    ['180 with a Record-Route that cannot be read', 180, ['Record-Route: <<>']],
    ['183 with a challenge of an unknown scheme', 183, ['WWW-Authenticate: Negotiate']],
    ['199 that nobody knows', 199, ['Contact: "']],
    ['180 that asks for something unknown', 180, ['Require: unheard-of', 'RSeq: x']],
  ])('%s is passed over, and the answer taken', async (_what, status, headers) => {
    const dialed = await call((invite) => {
      uas.reply(invite, status, { headers })
      uas.reply(invite, 200, { body: ANSWER_SDP() })
    })
    await isCall(dialed)
  })

  it.each<[string, number, string[], object]>([
    ['486 with broken headers', 486, ['Contact: <<', 'Record-Route: "'], { failed: 'busy' }],
    ['302 to a premium number', 302, ['Contact: <sip:+19005550000@x_y>'], { sipCode: 302 }],
    ['302 to nothing', 302, ['Contact: <>;;,'], { sipCode: 302 }],
    ['401 with no challenge', 401, [], { sipCode: 401 }],
    [
      '407 with a challenge of an unknown scheme',
      407,
      ['Proxy-Authenticate: Negotiate'],
      {
        sipCode: 407,
      },
    ],
    ['420 with nothing', 420, [], { sipCode: 420 }],
    ['422 with a Min-SE of nonsense', 422, ['Min-SE: soon'], { sipCode: 422 }],
    ['491', 491, [], { sipCode: 491 }],
    ['699', 699, ['Warning: "'], { sipCode: 699 }],
  ])('%s is told as it is, and acknowledged', async (_what, status, headers, expected) => {
    const dialed = await call((invite) => uas.reply(invite, status, { headers }))
    expect(dialed).toMatchObject(expected)
    await uas.wait('ACK')
    expect(uas.all('INVITE').length).toBe(1)
  })
})

describe('a challenge', () => {
  const md5 = (text: string): string => createHash('md5').update(text).digest('hex')
  const param = (value: string, name: string): string =>
    new RegExp(`[ ,]${name}="?([^",]*)"?`).exec(value)?.[1] ?? ''

  /** What RFC 2617 makes of an Authorization; whether that is its response. */
  function isRight(value: string, invite: Received, realm: string): boolean {
    const [nonce, qop, nc, cnonce] = ['nonce', 'qop', 'nc', 'cnonce'].map((n) => param(value, n))
    const session = /algorithm="?MD5-sess/i.test(value)
    const plain = md5(`user:${realm}:secret`)
    const ha1 = session ? md5(`${plain}:${nonce}:${cnonce}`) : plain
    const body = qop === 'auth-int' ? `:${md5(invite.message.body)}` : ''
    const ha2 = md5(`INVITE:${invite.message.requestUri}${body}`)
    const middle = qop ? `${nc}:${cnonce}:${qop}:` : ''
    return param(value, 'response') === md5(`${ha1}:${nonce}:${middle}${ha2}`)
  }

  it.each<[string, string[]]>([
    ['without quotes', ['Digest realm=r, nonce=abc, qop=auth']],
    ['with everything in quotes', ['Digest realm="r", nonce="n", qop="auth", algorithm="MD5"']],
    ['with a lower-case algorithm', ['Digest realm="r", nonce="n", algorithm=md5']],
    ['with a list of qop that has spaces', ['Digest realm="r",nonce="n",qop=" auth-int , auth "']],
    ['with an empty qop', ['Digest realm="r", nonce="n", qop=""']],
    ['with auth-int alone', ['Digest realm="r", nonce="n", qop="auth-int"']],
    ['by MD5-sess', ['Digest realm="r", nonce="n", qop="auth", algorithm=MD5-sess']],
    ['with stale in capitals', ['Digest realm="r", nonce="n", stale=TRUE']],
    ['with commas too many', ['Digest ,realm="r",, nonce="n" , ,qop="auth",']],
    ['with tabs', ['Digest\trealm="r",\tnonce="n"']],
    ['with parameters of tomorrow', ['Digest realm="r", nonce="n", x_1.y=2, userhash=false']],
    ['after one by Negotiate', ['Negotiate', 'Digest realm="r", nonce="n"']],
    [
      'after one of an unknown algorithm',
      [
        'Digest realm="r", nonce="z", algorithm=SHA-9',
        'Digest realm="r", nonce="n", algorithm=MD5',
      ],
    ],
    [
      'in one line with another',
      ['Digest realm="r", nonce="z", algorithm=SHA-9, Digest realm="r", nonce="n", algorithm=MD5'],
    ],
    ['in lower case', ['digest REALM="r", NONCE="n"']],
  ])('%s is answered', async (_what, challenges) => {
    const headers = challenges.map((value) => `WWW-Authenticate: ${value}`)
    const dialed = await call((invite, n) => {
      if (n === 1) return uas.reply(invite, 401, { headers })
      const value = /^Authorization: (.*)$/m.exec(invite.text)?.[1] ?? ''
      uas.reply(invite, isRight(value, invite, 'r') ? 486 : 403)
    })
    expect(dialed).toMatchObject({ failed: 'busy' })
    expect(uas.all('INVITE').length).toBe(2)
  })

  it('whose realm has commas and an equals sign is answered for that realm', async () => {
    const realm = 'a, b=c; d'
    const dialed = await call((invite, n) => {
      const headers = [`Proxy-Authenticate: Digest realm="${realm}", nonce="n", qop="auth"`]
      if (n === 1) return uas.reply(invite, 407, { headers })
      const value = /^Proxy-Authorization: (.*)$/m.exec(invite.text)?.[1] ?? ''
      expect(value).toContain(`realm="${realm}"`)
      const told = value.replace(`realm="${realm}"`, 'realm="r"')
      uas.reply(invite, isRight(told, invite, realm) ? 486 : 403)
    })
    expect(dialed).toMatchObject({ failed: 'busy' })
  })

  it.each<[string, string]>([
    ['without a nonce', 'Digest realm="r"'],
    ['without a realm', 'Digest nonce="n"'],
    ['of Basic', 'Basic realm="r"'],
    ['of nothing', ''],
    ['with a quote that does not close', 'Digest realm="r, nonce="n'],
    ['of 7 KB', `Digest realm="r", nonce="n", x="${'y'.repeat(6_500)}"`],
  ])('%s is not hammered at', async (_what, challenge) => {
    const headers = [`WWW-Authenticate: ${challenge}`]
    const dialed = await call((invite) => uas.reply(invite, 401, { headers }))
    expect(dialed).toMatchObject({ failed: 'trunk_error', sipCode: 401 })
    expect(uas.all('INVITE').length).toBeLessThanOrEqual(2)
  })

  it('after an answer with Authentication-Info leaves the call alone', async () => {
    const headers = ['Authentication-Info: nextnonce="m", qop=auth, rspauth="0", cnonce="1", nc=1']
    await isCall(await call((invite) => uas.reply(invite, 200, { headers, body: ANSWER_SDP() })))
  })
})

/** A message with another body, its type and length told. */
function withBody(text: string, type: string, body: string): string {
  const head = text.slice(0, text.indexOf('\r\n\r\n'))
  const changed = head
    .replace(/Content-Type: .*/, `Content-Type: ${type}`)
    .replace(/Content-Length: .*/, `Content-Length: ${body.length}`)
  return `${changed}\r\n\r\n${body}`
}
