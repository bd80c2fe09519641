/**
 * A second set of hard messages, independent of `torture.ts`: whole messages as an RFC 4475 or RFC 5118 test suite
 * sends them, with all their oddities at once, in our own words. `answer`: what the RFC allows; 0 for silence.
 */
export interface Hard {
  name: string
  text: string
  answer: readonly number[]
  /** A begun call that somebody may take. */
  calls?: true
}

const SDP = 'v=0\r\no=m 2 2 IN IP4 192.0.2.4\r\ns=-\r\nc=IN IP4 192.0.2.4\r\nt=0 0\r\n'
const AUDIO = `${SDP}m=audio 49217 RTP/AVP 0 12\r\nm=video 3227 RTP/AVP 31\r\na=rtpmap:31 LPC\r\n`

/** The lines and the body as a message; `LEN` stands for the body's length. */
function raw(lines: readonly string[], body = ''): string {
  return `${lines.join('\r\n').replaceAll('LEN', String(body.length))}\r\n\r\n${body}`
}

let count = 0

/** The lines that most of them share; `branch` and Call-ID are new each time. */
function plain(method: string, via: string): string[] {
  const n = ++count
  return [
    `Via: SIP/2.0/${via} host5.example.net;branch=z9hG4bKadv${n}`,
    'To: <sip:callee@example.net>',
    `From: <sip:caller@example.net>;tag=adv${n}`,
    'Max-Forwards: 7',
    `Call-ID: adversary-${n}@host5`,
    `CSeq: ${n} ${method}`,
    `Contact: <sip:caller@host5.example.net>`,
  ]
}

/** `lines` with those of the same name replaced. */
function but(lines: readonly string[], ...others: string[]): string[] {
  const name = (line: string): string => line.split(':', 1)[0] ?? ''
  const changed = lines.map((line) => others.find((other) => name(other) === name(line)) ?? line)
  return [...changed, ...others.filter((other) => !changed.includes(other))]
}

const LENGTH = 'Content-Length: LEN'
const SDP_TYPE = 'Content-Type: application/sdp'

export function hardMessages(via: 'UDP' | 'TCP'): Hard[] {
  return [...readable(via), ...unreadable(via), ...refused(via), ...addresses(via)]
}

function readable(via: string): Hard[] {
  const odd = "!interesting-Method0123456789_*+`.%indeed'~"
  return [
    {
      name: 'wsinv',
      text: raw(
        [
          'INVITE sip:vera@chair.example.com;unknownparam SIP/2.0',
          'TO :',
          ' sip:vera@chair.example.com ;   tag    = 19181833n',
          'from   : "J Rosen \\\\\\""       <sip:jr@example.com>',
          '  ;',
          '  tag = 98asjd8',
          'MaX-fOrWaRdS: 0068',
          'Call-ID: wsinv.ndaksdj@192.0.2.1',
          'Content-Length   : LEN',
          'cseq: 0009',
          '  INVITE',
          'Via  : SIP  /   2.0',
          ` /${via}`,
          '    192.0.2.2;branch=390skdjuw',
          's :',
          'NewFangledHeader:   newfangled value',
          ' continued newfangled value',
          'UnknownHeaderWithUnusualValue: ;;,,;;,;',
          'Content-Type: application/sdp',
          'Route:',
          ' <sip:services.example.com;lr;unknownwith=value;unknown-no-value>',
          'v:  SIP  / 2.0  / TCP     spindle.example.com   ;',
          '  branch  =   z9hG4bK9ikj8  ,',
          ' SIP  /    2.0   / UDP  192.168.255.111   ; branch=',
          ' z9hG4bK30239',
          'm:"Quoted string \\"\\"" <sip:jr@example.com> ; newparam =',
          '      newvalue ;',
          '  secondparam ; q = 0.33',
        ],
        AUDIO,
      ),
      // It has a tag in To: a call that we do not know.
      answer: [481],
    },
    {
      name: 'intmeth',
      text: raw([
        `${odd} sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com SIP/2.0`,
        `Via: SIP/2.0/${via} host1.example.com;branch=z9hG4bK-.!%66*_+\`'~`,
        'To: "BEL:\x07 NUL:\0 DEL:\x7f" <sip:1_unusual.URI~(to-be!sure)@example.com>',
        "From: token1~` token2'+_ token3*%!.- <sip:mundane@example.com> ;fromParam''~+*_!.-%=\"\xd1\x80\xd0\xb0\";tag=_token~1'+`*%!-.",
        'Call-ID: intmeth.word%ZK-!.*_+\'@word`~)(><:\\/"][?}{',
        `CSeq: 139122385 ${odd}`,
        'Max-Forwards: 255',
        "extensionHeader-!.%*+_`'~:\xef\xbb\xbf\xe5\xa4\xa7\xe5\x81\x9c\xe9\x9b\xbb",
        LENGTH,
      ]),
      answer: [501, 405],
    },
    {
      name: 'esc01',
      text: raw(
        [
          'INVITE sip:sips%3Auser%40example.com@example.net SIP/2.0',
          ...but(
            plain('INVITE', via),
            'To: sip:%75se%72@example.com',
            'From: <sip:I%20have%20spaces@example.net>;tag=938',
            'Contact: <sip:cal%6Cer@host5.example.net;%6C%72;n%61me=v%61lue%25%34%31>',
          ),
          SDP_TYPE,
          LENGTH,
        ],
        AUDIO,
      ),
      answer: [404, 403],
      calls: true,
    },
    {
      name: 'escnull',
      text: raw([
        'REGISTER sip:example.com SIP/2.0',
        ...but(
          plain('REGISTER', via),
          'To: sip:null-%00-null@example.com',
          'From: sip:null-%00-null@example.com;tag=839923423',
          'Contact: <sip:%00@host5.example.com>',
        ),
        'Contact: <sip:%00%00@host5.example.com>',
        'L:0',
      ]),
      answer: [405],
    },
    {
      name: 'esc02',
      text: raw([
        'RE%47IST%45R sip:registrar.example.com SIP/2.0',
        ...but(
          plain('RE%47IST%45R', via),
          'To: "%Z%45" <sip:resource@example.com>',
          'Contact: <sip:alias1@host1.example.com>',
        ),
        'Contact: <sip:alias3@host3.example.com>',
        LENGTH,
      ]),
      answer: [501, 405],
    },
    {
      name: 'lwsdisp',
      text: raw([
        'OPTIONS sip:user@example.com SIP/2.0',
        ...but(plain('OPTIONS', via), 'From: caller<sip:caller@example.com>;tag=323'),
        'l: 0',
      ]),
      answer: [200],
    },
    {
      name: 'longreq',
      text: raw(
        [
          'INVITE sip:user@example.com SIP/2.0',
          `To: "I have a user name of ${'extreme'.repeat(40)} proportion"<sip:user@example.com:6000;unknownparam1=very${'long'.repeat(60)}value;longparam${'name'.repeat(40)}=shortvalue;very${'long'.repeat(30)}ParameterNameWithNoValue>`,
          `F: sip:amazinglylongcallername${'really'.repeat(20)}@example.net;tag=12${'982'.repeat(50)}424;unknown${'header'.repeat(40)}paramname=unknown${'header'.repeat(20)}paramvalue;unknownValuelessparam${'name'.repeat(20)}`,
          `Call-ID: longreq.one${'really'.repeat(40)}longcallid`,
          'CSeq: 3882340 INVITE',
          `Unknown-${'Long'.repeat(40)}-Name: unknown-${'long'.repeat(40)}-value; unknown-${'long'.repeat(40)}-parameter-name = unknown-${'long'.repeat(40)}-parameter-value`,
          `Via: SIP/2.0/${via} sip33.example.com;branch=z9hG4bK${'longreq'.repeat(8)}`,
          ...Array.from(
            { length: 34 },
            (_, n) => `v: SIP/2.0/TCP sip${n}.example.com;branch=z9hG4bKhop${n}`,
          ),
          'Max-Forwards: 70',
          `Contact: <sip:amazinglylongcallername${'really'.repeat(20)}@host5.example.net>`,
          SDP_TYPE,
          'l: LEN',
        ],
        AUDIO,
      ),
      answer: [404, 403],
      calls: true,
    },
    {
      name: 'semiuri',
      text: raw([
        'OPTIONS sip:user;par=u%40example.net@example.com SIP/2.0',
        ...plain('OPTIONS', via),
        'Accept: application/sdp, application/pkcs7-mime,',
        '        multipart/mixed, multipart/signed,',
        '        message/sip, message/sipfrag',
        'l: 0',
      ]),
      answer: [200],
    },
    {
      name: 'transports',
      text: raw([
        'OPTIONS sip:user@example.com SIP/2.0',
        ...plain('OPTIONS', via),
        'Via: SIP/2.0/SCTP t2.example.com;branch=z9hG4bKkdjuw',
        'Via: SIP/2.0/TLS t3.example.com;branch=z9hG4bKm4323w',
        'Via: SIP/2.0/UNKNOWN t4.example.com;branch=z9hG4bKkju',
        'Via: SIP/2.0/TCP t5.example.com;branch=z9hG4bKksdjf',
        'l: 0',
      ]),
      answer: [200],
    },
    {
      name: 'mpart01',
      text: raw(
        [
          'MESSAGE sip:kumiko@example.org SIP/2.0',
          ...plain('MESSAGE', via),
          'Content-Type: multipart/mixed;boundary=7a9cbec02ceef655',
          'MIME-Version: 1.0',
          LENGTH,
        ],
        '--7a9cbec02ceef655\r\nContent-Type: text/plain\r\n\r\nHello\r\n--7a9cbec02ceef655\r\nContent-Type: application/octet-stream\r\n\r\n0\x82\x01R\x06\t*\x86H\0\x01\r\n--7a9cbec02ceef655--\r\n',
      ),
      answer: [405, 415, 200],
    },
    {
      name: 'unreason',
      text: raw([
        'SIP/2.0 200 = 2**3 * 5**2 \xd0\xbd\xd0\xbe \xd1\x81\xd1\x82\xd0\xbe',
        ...plain('INVITE', via),
        LENGTH,
      ]),
      answer: [0],
    },
    { name: 'noreason', text: raw(['SIP/2.0 100 ', ...plain('INVITE', via), LENGTH]), answer: [0] },
    {
      name: 'zeromf',
      text: raw([
        'OPTIONS sip:user@example.com SIP/2.0',
        ...but(plain('OPTIONS', via), 'Max-Forwards: 0'),
        LENGTH,
      ]),
      answer: [200, 483],
    },
    {
      name: 'badbranch',
      text: raw([
        'OPTIONS sip:user@example.com SIP/2.0',
        ...but(plain('OPTIONS', via), `Via: SIP/2.0/${via} 192.0.2.1;branch=z9hG4bK`),
        'l: 0',
      ]),
      answer: [200, 400],
    },
  ]
}

function unreadable(via: string): Hard[] {
  const invite = 'INVITE sip:user@example.com SIP/2.0'
  return [
    {
      name: 'badinv01',
      text: raw(
        [
          invite,
          ...but(
            plain('INVITE', via),
            `Via: SIP/2.0/${via} 192.0.2.15;;,;,,`,
            'Contact: "Joe" <sip:joe@example.org>;;;;',
          ),
          SDP_TYPE,
          LENGTH,
        ],
        AUDIO,
      ),
      answer: [400, 0],
    },
    {
      name: 'scalar02',
      text: raw([
        'REGISTER sip:example.com SIP/2.0',
        ...but(
          plain('REGISTER', via),
          'CSeq: 36893488147419103232 REGISTER',
          'Max-Forwards: 300',
          'Contact: <sip:user@host129.example.com>;expires=280297596632815',
        ),
        'Expires: 10000000000000000000000000000000000000000000000',
        LENGTH,
      ]),
      answer: [400],
    },
    {
      name: 'scalarlg',
      text: raw([
        'SIP/2.0 503 Service Unavailable',
        ...but(plain('INVITE', via), 'CSeq: 9292394834772304023312 OPTIONS'),
        'Retry-After: 949302838503028349304023988',
        'Warning: 1812 overture "In Progress"',
        LENGTH,
      ]),
      answer: [0],
    },
    {
      name: 'quotbal',
      text: raw(
        [
          invite,
          ...but(plain('INVITE', via), 'To: "Mr. J. User <sip:j.user@example.com>'),
          SDP_TYPE,
          LENGTH,
        ],
        AUDIO,
      ),
      answer: [400],
    },
    {
      name: 'ltgtruri',
      text: raw(
        ['INVITE <sip:user@example.com> SIP/2.0', ...plain('INVITE', via), SDP_TYPE, LENGTH],
        AUDIO,
      ),
      answer: [400],
    },
    {
      name: 'lwsruri',
      text: raw(
        ['INVITE sip:user@example.com; lr SIP/2.0', ...plain('INVITE', via), SDP_TYPE, LENGTH],
        AUDIO,
      ),
      answer: [400],
    },
    {
      name: 'lwsstart',
      text: raw(
        ['INVITE  sip:user@example.com  SIP/2.0', ...plain('INVITE', via), SDP_TYPE, LENGTH],
        AUDIO,
      ),
      answer: [400, 404, 403],
    },
    {
      name: 'trws',
      text: raw(['OPTIONS sip:remote@example.com SIP/2.0  ', ...plain('OPTIONS', via), LENGTH]),
      answer: [400, 200],
    },
    {
      name: 'escruri',
      text: raw(
        [
          'INVITE sip:user@example.com?Route=%3Csip:example.com%3E SIP/2.0',
          ...plain('INVITE', via),
          SDP_TYPE,
          LENGTH,
        ],
        AUDIO,
      ),
      answer: [400, 404, 403],
    },
    {
      name: 'baddate',
      text: raw(
        [invite, ...plain('INVITE', via), 'Date: Fri, 01 Jan 2010 16:00:00 EST', SDP_TYPE, LENGTH],
        AUDIO,
      ),
      answer: [400, 404, 403],
    },
    {
      name: 'regbadct',
      text: raw([
        'REGISTER sip:example.com SIP/2.0',
        ...but(
          plain('REGISTER', via),
          'Contact: sip:user@example.com?Route=%3Csip:sip.example.com%3E',
        ),
        'l: 0',
      ]),
      answer: [405, 400],
    },
    {
      name: 'badaspec',
      text: raw([
        'OPTIONS sip:user@example.org SIP/2.0',
        ...but(plain('OPTIONS', via), 'To: "Watson, Thomas" < sip:t.watson@example.org >'),
        'l: 0',
      ]),
      answer: [400, 200],
    },
    {
      name: 'baddn',
      text: raw([
        'OPTIONS sip:user@example.org SIP/2.0',
        ...but(plain('OPTIONS', via), 'From:    Bell, Alexander <sip:a.g.bell@example.com>;tag=43'),
        LENGTH,
      ]),
      answer: [400, 200],
    },
    {
      name: 'badvers',
      text: raw([
        'OPTIONS sip:t.watson@example.org SIP/7.0',
        ...but(
          plain('OPTIONS', via),
          `Via:     SIP/7.0/${via} c.example.com;branch=z9hG4bKbadvers`,
        ),
        'l: 0',
      ]),
      answer: [505],
    },
    {
      name: 'mismatch01',
      text: raw([
        'OPTIONS sip:user@example.com SIP/2.0',
        ...but(plain('OPTIONS', via), 'CSeq: 8 INVITE'),
        'l: 0',
      ]),
      answer: [400],
    },
    {
      name: 'mismatch02',
      text: raw(
        [
          'NEWMETHOD sip:user@example.com SIP/2.0',
          ...but(plain('NEWMETHOD', via), 'CSeq: 8 INVITE'),
          SDP_TYPE,
          LENGTH,
        ],
        AUDIO,
      ),
      answer: [400, 501],
    },
    {
      name: 'bigcode',
      text: raw(['SIP/2.0 4294967301 better not break', ...plain('INVITE', via), LENGTH]),
      answer: [0],
    },
    {
      name: 'bcast',
      text: raw([
        'SIP/2.0 200 OK',
        `Via: SIP/2.0/${via} 192.0.2.198;branch=z9hG4bK1324923`,
        `Via: SIP/2.0/${via} 255.255.255.255;branch=z9hG4bK1saber23`,
        ...plain('INVITE', via).slice(1),
        SDP_TYPE,
        LENGTH,
      ]),
      answer: [0],
    },
  ]
}

function refused(via: string): Hard[] {
  const invite = 'INVITE sip:user@example.com SIP/2.0'
  return [
    {
      name: 'insuf',
      text: raw(
        [
          invite,
          'CSeq: 193942 INVITE',
          `Via: SIP/2.0/${via} 192.0.2.95;branch=z9hG4bKinsuf`,
          SDP_TYPE,
          'l: LEN',
        ],
        AUDIO,
      ),
      answer: [400, 0],
    },
    {
      name: 'unkscm',
      text: raw([
        'OPTIONS nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0',
        ...plain('OPTIONS', via),
        LENGTH,
      ]),
      answer: [416],
    },
    {
      name: 'novelsc',
      text: raw(['OPTIONS soap.beep://192.0.2.103:3002 SIP/2.0', ...plain('OPTIONS', via), LENGTH]),
      answer: [416],
    },
    {
      name: 'unksm2',
      text: raw([
        'REGISTER sip:example.com SIP/2.0',
        ...but(
          plain('REGISTER', via),
          'To: isbn:2983792873',
          'From: <http://www.example.com>;tag=3234233',
          'Contact: <name:John_Smith>',
        ),
        'l: 0',
      ]),
      answer: [405, 400],
    },
    {
      name: 'bext01',
      text: raw([
        'OPTIONS sip:user@example.com SIP/2.0',
        ...plain('OPTIONS', via),
        'Require: nothingSupportsThis, nothingSupportsThisEither',
        'Proxy-Require: noProxiesSupportThis, norDoAnyProxiesSupportThis',
        LENGTH,
      ]),
      answer: [420],
    },
    {
      name: 'invut',
      text: raw(
        [invite, ...plain('INVITE', via), 'Content-Type: application/unknownformat', LENGTH],
        '<audio>\r\n <pcmu port="443"/>\r\n</audio>\r\n',
      ),
      answer: [415],
    },
    {
      name: 'regaut01',
      text: raw([
        'REGISTER sip:example.com SIP/2.0',
        ...plain('REGISTER', via),
        'Authorization: NoOneKnowsThisScheme opaque-data=here',
        'Content-Length:0',
      ]),
      answer: [405],
    },
    {
      name: 'multi01',
      text: raw(
        [
          invite,
          ...plain('INVITE', via),
          'CSeq: 59 INVITE',
          'Call-ID: multi01.98asdh@192.0.2.2',
          'From: <sip:other@example.com>;tag=2',
          'To: <sip:other@example.com>',
          'Max-Forwards: 5',
          SDP_TYPE,
          LENGTH,
        ],
        AUDIO,
      ),
      answer: [400],
    },
    {
      name: 'cparam01, cparam02, regescrt',
      text: raw([
        'REGISTER sip:example.com SIP/2.0',
        ...but(plain('REGISTER', via), 'Contact: sip:+19725552222@gw1.example.net;unknownparam'),
        'Contact: <sip:+19725552222@gw1.example.net;unknownparam>',
        'Contact: <sip:user@example.com?Route=%3Csip:sip.example.com%3E>',
        'l: 0',
      ]),
      answer: [405],
    },
    {
      name: 'sdp01',
      text: raw(
        [invite, ...plain('INVITE', via), 'Accept: text/nobodyKnowsThis', SDP_TYPE, LENGTH],
        AUDIO,
      ),
      answer: [406],
    },
    {
      name: 'inv2543',
      text: raw(
        [
          'INVITE sip:UserB@example.com SIP/2.0',
          `Via: SIP/2.0/${via} iftgw.example.com;rport`,
          'From: <sip:+13035551111@ift.client.example.net;user=phone>',
          'Record-Route: <sip:UserB@example.com;maddr=ss1.example.com>',
          'To: sip:+16505552222@ss1.example.net;user=phone',
          `Call-ID: inv2543.1717@ift.${via}`,
          'CSeq: 56 INVITE',
          'Content-Type: application/sdp',
          LENGTH,
        ],
        AUDIO,
      ),
      answer: [400, 403, 404],
    },
  ]
}

/** RFC 5118. */
function addresses(via: string): Hard[] {
  const from = (sentBy: string): string =>
    `Via: SIP/2.0/${via} ${sentBy};branch=z9hG4bKas3-${++count}`
  const v6 = (method: string, ...others: string[]): string[] =>
    but(
      plain(method, via),
      from('[2001:db8::9:1]'),
      'Contact: "Caller" <sip:caller@[2001:db8::1]>',
      ...others,
    )
  return [
    {
      name: 'ipv6-good',
      text: raw(['REGISTER sip:[2001:db8::10] SIP/2.0', ...v6('REGISTER'), LENGTH]),
      answer: [405],
    },
    {
      name: 'ipv6-bad',
      text: raw(['REGISTER sip:2001:db8::10 SIP/2.0', ...v6('REGISTER'), LENGTH]),
      answer: [400, 405],
    },
    {
      name: 'port-ambiguous',
      text: raw(['REGISTER sip:[2001:db8::10:5070] SIP/2.0', ...v6('REGISTER'), LENGTH]),
      answer: [405],
    },
    {
      name: 'port-unambiguous',
      text: raw(['REGISTER sip:[2001:db8::10]:5070 SIP/2.0', ...v6('REGISTER'), LENGTH]),
      answer: [405],
    },
    {
      name: 'via-received-param-with-delim',
      text: raw([
        'OPTIONS sip:callee@[2001:db8::10] SIP/2.0',
        ...v6('OPTIONS', from('[2001:db8::9:1];received=[2001:db8::9:255]')),
        LENGTH,
      ]),
      answer: [200],
    },
    {
      name: 'via-received-param-no-delim',
      text: raw([
        'OPTIONS sip:callee@[2001:db8::10] SIP/2.0',
        ...v6('OPTIONS', from('[2001:db8::9:1];received=2001:db8::9:255')),
        LENGTH,
      ]),
      answer: [200],
    },
    {
      name: 'ipv6-in-sdp',
      text: raw(
        ['INVITE sip:callee@[2001:db8::10] SIP/2.0', ...v6('INVITE'), SDP_TYPE, LENGTH],
        SDP.replaceAll('IP4 192.0.2.4', 'IP6 2001:db8::20') +
          'm=audio 42924 RTP/AVP 0 8\r\nm=video 6060 RTP/AVP 31\r\n',
      ),
      answer: [404, 403],
      calls: true,
    },
    {
      name: 'mult-ip-in-header',
      text: raw([
        'OPTIONS sip:user@host.example.com SIP/2.0',
        ...v6('OPTIONS'),
        'Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKas3;received=2001:db8::9:255',
        LENGTH,
      ]),
      answer: [200],
    },
    {
      name: 'mult-ip-in-sdp',
      text: raw(
        ['INVITE sip:callee@[2001:db8::10] SIP/2.0', ...v6('INVITE'), SDP_TYPE, LENGTH],
        `${SDP}m=audio 49217 RTP/AVP 0 12\r\nc=IN IP4 192.0.2.4\r\nm=video 3227 RTP/AVP 31\r\nc=IN IP6 2001:db8::1\r\n`,
      ),
      answer: [404, 403],
      calls: true,
    },
    {
      name: 'ipv4-mapped-ipv6',
      text: raw(
        [
          'INVITE sip:callee@example.com SIP/2.0',
          ...v6(
            'INVITE',
            from('[::ffff:192.0.2.10]:19823'),
            'Contact: "T. desc" <sip:caller@[::ffff:192.0.2.2]:5060>',
          ),
          SDP_TYPE,
          LENGTH,
        ],
        `${SDP.replaceAll('IP4 192.0.2.4', 'IP6 ::ffff:192.0.2.2')}m=audio 6000 RTP/AVP 0\r\n`,
      ),
      answer: [404, 403],
      calls: true,
    },
    {
      name: 'ipv6-bug-abnf-3-colons',
      text: raw(['OPTIONS sip:user@[2001:db8:::192.0.2.1] SIP/2.0', ...v6('OPTIONS'), LENGTH]),
      answer: [200, 400],
    },
  ]
}

/** What only a datagram can hold. */
export function hardDatagrams(): Hard[] {
  const invite = 'INVITE sip:user@example.com SIP/2.0'
  return [
    {
      name: 'dblreq',
      text:
        raw([
          'REGISTER sip:example.com SIP/2.0',
          ...plain('REGISTER', 'UDP'),
          'Content-Length: 0',
        ]) + raw([invite, ...plain('INVITE', 'UDP'), SDP_TYPE, LENGTH], AUDIO),
      answer: [405],
    },
    {
      name: 'clerr',
      text: raw([invite, ...plain('INVITE', 'UDP'), SDP_TYPE, 'Content-Length: 9999'], AUDIO),
      answer: [400],
    },
    {
      name: 'ncl',
      text: raw([invite, ...plain('INVITE', 'UDP'), SDP_TYPE, 'Content-Length: -999'], AUDIO),
      answer: [400],
    },
    {
      name: 'mcl01',
      text: raw(
        [
          'OPTIONS sip:user@example.com SIP/2.0',
          ...plain('OPTIONS', 'UDP'),
          'Content-Length: 13',
          'Content-Type: text/plain',
          'Content-Length: 5',
        ],
        "There's no way",
      ),
      answer: [400],
    },
    {
      name: 'empty lines before it',
      text: `\r\n\r\n${raw(['OPTIONS sip:user@example.com SIP/2.0', ...plain('OPTIONS', 'UDP'), LENGTH])}`,
      answer: [200],
    },
  ]
}
