import { describe, expect, it } from 'vitest'
import { randomSource } from '../../../test/kit/seeded.ts'
import { BLANK, redactMessage } from './redact-message.ts'

/** A message with these header lines and this body. */
function message(lines: readonly string[], body = ''): string {
  const head = ['INVITE sip:+15551234567@example.com SIP/2.0', 'Call-ID: c1', ...lines]
  return `${head.join('\r\n')}\r\nContent-Length: ${body.length}\r\n\r\n${body}`
}

function line(text: string, name: RegExp): string | undefined {
  return text.split('\r\n').find((one) => name.test(one))
}

describe('a message that is shown', () => {
  it('keeps scheme, realm and how one signs in, and nothing of who does (MD5)', () => {
    const shown = redactMessage(
      message([
        'Authorization: Digest username="jane", realm="example.com", nonce="n0nce", uri="sip:example.com", response="6629fae49393a05397450978507c4ef1", algorithm=MD5, cnonce="0a4f113b", qop=auth, nc=00000001, opaque="0paque"',
      ]),
    )
    expect(line(shown, /^Authorization/)).toBe(
      `Authorization: Digest username="${BLANK}", realm="example.com", nonce="${BLANK}", uri="sip:example.com", response="${BLANK}", algorithm=MD5, cnonce="${BLANK}", qop=auth, nc=00000001, opaque="${BLANK}"`,
    )
  })

  it('blanks several challenges in one header, each by itself (SHA-256 and MD5)', () => {
    const shown = redactMessage(
      message([
        'WWW-Authenticate: Digest realm="a, b", nonce="n1", algorithm=SHA-256, qop="auth,auth-int", Digest realm="a \\" c", nonce="n2", algorithm=MD5, stale=true',
        'Proxy-Authenticate: Digest realm="proxy", nonce="n3", opaque=""',
      ]),
    )
    expect(line(shown, /^WWW/)).toBe(
      `WWW-Authenticate: Digest realm="a, b", nonce="${BLANK}", algorithm=SHA-256, qop="auth,auth-int", Digest realm="a \\" c", nonce="${BLANK}", algorithm=MD5, stale=true`,
    )
    expect(line(shown, /^Proxy/)).toBe(
      `Proxy-Authenticate: Digest realm="proxy", nonce="${BLANK}", opaque="${BLANK}"`,
    )
  })

  it('blanks what the server says after it let us in', () => {
    const shown = redactMessage(
      message(['Authentication-Info: nextnonce="n4", rspauth="5ec", cnonce="c5", qop=auth, nc=01']),
    )
    expect(shown).not.toMatch(/n4|5ec|c5/)
    expect(line(shown, /^Authentication-Info/)).toContain('qop=auth, nc=01')
  })

  it('finds the headers in odd case, folded, and with space before the colon', () => {
    const shown = redactMessage(
      message([
        'PROXY-AUTHORIZATION \t: digest\r\n\tUSERNAME="jane",\r\n  Realm="r",  NONCE = "secret1",\r\n response="secret2"',
        'aUtHoRiZaTiOn:Digest username=jane,nonce=secret3,response=secret4,realm="r"',
        'Subject: after',
      ]),
    )
    expect(shown).not.toMatch(/jane|secret/)
    expect(shown).toContain('Realm="r"')
    expect(shown).toContain('\r\nSubject: after\r\n')
  })

  it('shows nothing of what it cannot read', () => {
    for (const value of [
      'Basic amFuZTpzZWNyZXQ=',
      'Bearer secret-token',
      'secret',
      'Digest nonce="secret',
      'Digest realm="r", nonce="secret, response="x"',
      'Digest response=="secret"',
      'Digest secret, realm="r"',
      'Digest x-response="secret"',
      'Digest realm="r" "secret"',
      "Digest username*=UTF-8''secret",
    ]) {
      const shown = redactMessage(message([`Authorization: ${value}`, 'Subject: after']))
      expect(shown).not.toMatch(/secret|amFuZ/)
      expect(shown).toContain(BLANK)
      expect(shown).toContain('\r\nSubject: after\r\n')
    }
  })

  it('blanks a header that the end cuts off, and one inside a body', () => {
    const cut = message(['Authorization: Digest username="jane", response="secr'])
    expect(redactMessage(cut.slice(0, cut.indexOf('secr') + 4))).not.toMatch(/secr|jane/)
    const body = 'INVITE sip:a@b SIP/2.0\r\nAuthorization: Digest response="secret"\r\n\r\n'
    expect(redactMessage(message([], body))).not.toContain('secret')
    const bare = 'Proxy-Authorization: Digest realm="r",\r response="secret"'
    expect(redactMessage(message([bare]))).not.toContain('secret')
  })

  it('blanks the keys of SRTP in every form, and keeps tag and suite', () => {
    const body = [
      'v=0',
      'k=base64:secret1',
      'm=audio 4000 RTP/SAVP 0',
      'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:secret2|2^20|1:4;inline:secret3 KDR=1',
      'A=Crypto: 2 AES_CM_128_HMAC_SHA1_32 inline:secret4',
      'a=crypto:3 inline:secret5',
      'a=crypto:secret6',
      'a=key-mgmt:mikey secret7',
      'a=zrtp-hash:1.10 secret8',
      'a=ice-pwd:secret9',
      'a=sendrecv',
      '',
    ].join('\r\n')
    const shown = redactMessage(message(['Content-Type: application/sdp'], body))
    expect(shown).not.toContain('secret')
    expect(shown).toContain(`a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${BLANK}\r\n`)
    expect(shown).toContain(`A=Crypto:2 AES_CM_128_HMAC_SHA1_32 inline:${BLANK}\r\n`)
    expect(shown).toContain('\r\na=sendrecv\r\n')
  })

  it('blanks the password of a URI and keeps everything else to the letter', () => {
    const plain = message(['From: "Jane" <sip:+1555@example.com:5060>;tag=1', 'Subject: x'], 'v=0')
    expect(redactMessage(plain)).toBe(plain)
    expect(redactMessage(message(['Contact: <sip:jane:secret@192.0.2.1:5060>']))).toContain(
      `Contact: <sip:jane:${BLANK}@192.0.2.1:5060>`,
    )
  })

  it('lets no secret through whatever the spaces, quotes, cases and folds around it', () => {
    const random = randomSource(7)
    const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)] as T
    for (let n = 0; n < 3_000; n++) {
      const name = pick([
        'Authorization',
        'Proxy-Authorization',
        'WWW-Authenticate',
        'authentication-info',
      ])
      const cased = [...name]
        .map((c) => (random() < 0.5 ? c.toUpperCase() : c.toLowerCase()))
        .join('')
      const gap = (): string => pick(['', ' ', '\t', '\r\n ', '\r\n\t', '  '])
      const parts = Array.from({ length: 1 + Math.floor(random() * 5) }, () => {
        const key = pick([
          'username',
          'nonce',
          'cnonce',
          'response',
          'opaque',
          'nextnonce',
          'x',
          '',
        ])
        const quote = pick(['"', '"', '', '\\"'])
        return `${key}${gap()}${pick(['=', '=', '=='])}${gap()}${quote}S3CRET${quote}`
      })
      const value = `${pick(['Digest ', 'digest\t', 'Basic ', ''])}${parts.join(`${gap()}${pick([',', ',', ' '])}${gap()}`)}`
      const shown = redactMessage(
        message([`${cased}${pick(['', ' '])}:${gap()}${value}`, 'Subject: after']),
      )
      expect(shown, value).not.toContain('S3CRET')
      expect(shown).toContain('\r\nSubject: after\r\n')
    }
  })
})
