/**
 * Messages that are hard to read or wrong, one for each case that RFC 4475 and RFC 5118 describe; the bytes are our own.
 * `answer`: the statuses that a user agent which places calls may give, 0 for none.
 */
export interface Torture {
  /** Section and name in the RFC. */
  name: string
  text: string
  answer: readonly number[]
}

interface Shape {
  uri?: string
  version?: string
  /** Lines in place of the usual ones, by their name; null leaves one out. */
  change?: Record<string, string | null>
  extra?: readonly string[]
  body?: string
  start?: string
}

let count = 0

/** A request in good order, but for what `o` says. `protocol` goes into its Via. */
function request(method: string, protocol: string, o: Shape = {}): string {
  const n = ++count
  const body = o.body ?? ''
  const lines: Record<string, string | null> = {
    Via: `Via: SIP/2.0/${protocol} torture.test:5060;branch=z9hG4bKtorture${n};rport`,
    'Max-Forwards': 'Max-Forwards: 68',
    To: 'To: <sip:callee@appliance.test>',
    From: 'From: <sip:caller@torture.test>;tag=torture',
    'Call-ID': `Call-ID: torture-${n}`,
    CSeq: `CSeq: 1 ${method}`,
    Contact: 'Contact: <sip:caller@torture.test>',
    ...(body ? { 'Content-Type': 'Content-Type: application/sdp' } : {}),
    'Content-Length': `Content-Length: ${body.length}`,
    ...o.change,
  }
  const uri = o.uri ?? 'sip:callee@appliance.test'
  const start = o.start ?? `${method} ${uri} ${o.version ?? 'SIP/2.0'}`
  const kept = Object.values(lines).filter((line) => line !== null)
  return [start, ...(o.extra ?? []), ...kept, '', body].join('\r\n')
}

function response(start: string, protocol: string, via?: string): string {
  const change = via === undefined ? {} : { change: { Via: `Via: ${via}` } }
  return request('INVITE', protocol, { start, ...change })
}

const SDP = [
  'v=0',
  'o=- 1 1 IN IP4 192.0.2.1',
  's=-',
  'c=IN IP4 192.0.2.1',
  't=0 0',
  'm=audio 49217 RTP/AVP 0',
  '',
].join('\r\n')

/** An INVITE that begins a call rings nowhere where nobody takes calls. */
const NO_CALLS = [403] as const
const REGISTER = [405] as const

/** `protocol` as a Via names it; what only makes sense in a datagram is left out for a stream. */
export function tortureMessages(protocol: 'UDP' | 'TCP'): Torture[] {
  const make = (method: string, o: Shape = {}): string => request(method, protocol, o)
  return [
    ...valid(make, protocol),
    ...invalid(make, protocol),
    ...beyondTheParser(make, protocol),
    ...ipv6(make),
    ...(protocol === 'UDP' ? onlyDatagrams(make) : []),
  ]
}

type Make = (method: string, o?: Shape) => string

function valid(make: Make, protocol: string): Torture[] {
  const odd = "!odd-Method0123456789_*+`.%for'~Us"
  const long = 'an-address-of-great-length-'.repeat(20)
  return [
    {
      name: '4475 3.1.1.1 white space everywhere',
      text: make('INVITE', {
        body: SDP,
        change: {
          To: 'TO :\r\n sip:callee@appliance.test ;   tag    = 1357f',
          From: 'from   : "A Caller \\\\\\""       <sip:caller@torture.test>\r\n  ;\r\n  tag = 98asjd8',
          CSeq: 'cseq: 0009\r\n  INVITE',
          Via: `Via  : SIP  /   2.0\r\n /${protocol}\r\n    192.0.2.2;branch=z9hG4bKspaces;rport`,
          Contact: 'm:"Quoted string \\"\\"" <sip:caller@torture.test> ; newparam =\r\n  new',
          'Content-Length': `l: ${SDP.length}`,
        },
        extra: ['s :', 'NewFangled:   a value\r\n that goes on\r\n  and on'],
      }),
      answer: [481],
    },
    {
      name: '4475 3.1.1.2 a method of odd characters',
      text: make(odd, { change: { CSeq: `CSeq: 139122385 ${odd}` } }),
      answer: [501],
    },
    {
      name: '4475 3.1.1.3 escapes',
      text: make('INVITE', {
        uri: 'sip:sips%3Auser%40torture.test@appliance.test',
        change: { To: 'To: sip:%75se%72@appliance.test' },
        body: SDP,
      }),
      answer: NO_CALLS,
    },
    {
      name: '4475 3.1.1.4 escaped nulls',
      text: make('REGISTER', { change: { To: 'To: sip:null-%00-null@torture.test' } }),
      answer: REGISTER,
    },
    {
      name: '4475 3.1.1.5 a % that is no escape',
      text: make('RE%47IST%45R'),
      answer: [501],
    },
    {
      name: '4475 3.1.1.6 no space before <',
      text: make('OPTIONS', { change: { From: 'From: caller<sip:caller@torture.test>;tag=3' } }),
      answer: [200],
    },
    {
      name: '4475 3.1.1.7 long values',
      text: make('INVITE', {
        body: SDP,
        change: { To: `To: "${long}"<sip:${long}@appliance.test;${long}=${long}>` },
        extra: Array.from({ length: 30 }, (_, n) => `X-Long-${n}: ${long.slice(0, 60)}`),
      }),
      answer: NO_CALLS,
    },
    {
      name: '4475 3.1.1.9 a semicolon in the user part',
      text: make('OPTIONS', { uri: 'sip:user;par=u%40torture.test@appliance.test' }),
      answer: [200],
    },
    {
      name: '4475 3.1.1.10 Vias of many transports',
      text: make('OPTIONS', {
        change: {
          'Call-ID': 'Call-ID: transports',
          Via: [
            `Via: SIP/2.0/${protocol} t1.test;branch=z9hG4bKtransports;rport`,
            'Via: SIP/2.0/SCTP t2.test;branch=z9hG4bKt2',
            'Via: SIP/2.0/TLS t3.test;branch=z9hG4bKt3',
            'Via: SIP/2.0/UNKNOWN t4.test;branch=z9hG4bKt4',
          ].join('\r\n'),
        },
      }),
      answer: [200],
    },
    {
      name: '4475 3.1.1.11 a body of several parts with a null',
      text: make('MESSAGE', {
        body: '--b\r\nContent-Type: text/plain\r\n\r\nHi\r\n--b\r\n\r\n\0\x01\xff\r\n--b--\r\n',
        change: { 'Content-Type': 'Content-Type: multipart/mixed;boundary=b' },
      }),
      answer: REGISTER,
    },
    {
      name: '4475 3.1.1.12 a reason that is no ASCII',
      text: response('SIP/2.0 200 = 2**3 * 5**2 \xd0\xbd\xd0\xbe', protocol),
      answer: [0],
    },
    { name: '4475 3.1.1.13 no reason', text: response('SIP/2.0 100 ', protocol), answer: [0] },
  ]
}

function invalid(make: Make, protocol: string): Torture[] {
  return [
    {
      name: '4475 3.1.2.1 separators for nothing',
      text: make('INVITE', {
        body: SDP,
        change: {
          Via: `Via: SIP/2.0/${protocol} 192.0.2.15;;,;,,`,
          Contact: 'Contact: "" <> ;,"Joe" <sip:joe@torture.test>;;;;',
        },
      }),
      answer: [400, 0],
    },
    {
      name: '4475 3.1.2.4 numbers too large',
      text: make('REGISTER', {
        change: {
          CSeq: 'CSeq: 36893488147419103232 REGISTER',
          'Max-Forwards': 'Max-Forwards: 300',
        },
        extra: ['Expires: 1000000000000000000000000000000000000'],
      }),
      answer: [400],
    },
    {
      name: '4475 3.1.2.5 a response with numbers too large',
      text: response('SIP/2.0 503 Busy', protocol).replace(
        'CSeq: 1 ',
        'CSeq: 9292394834772304023 ',
      ),
      answer: [0],
    },
    {
      name: '4475 3.1.2.6 a quote that does not close',
      text: make('INVITE', {
        body: SDP,
        change: { To: 'To: "Mr. A. User <sip:a@appliance.test>' },
      }),
      answer: [400],
    },
    {
      name: '4475 3.1.2.7 <> around the Request-URI',
      text: make('INVITE', { uri: '<sip:callee@appliance.test>', body: SDP }),
      answer: [400],
    },
    {
      name: '4475 3.1.2.8 space in the Request-URI',
      text: make('INVITE', { uri: 'sip:callee@appliance.test; lr', body: SDP }),
      answer: [400],
    },
    {
      name: '4475 3.1.2.9 several spaces in the start line',
      text: make('INVITE', { uri: ' sip:callee@appliance.test ', body: SDP }),
      answer: [400, 403],
    },
    {
      name: '4475 3.1.2.10 space after the start line',
      text: make('OPTIONS', { version: 'SIP/2.0  ' }),
      answer: [200, 400],
    },
    {
      name: '4475 3.1.2.11 headers in the Request-URI',
      text: make('INVITE', { uri: 'sip:callee@appliance.test?Route=%3Csip:x.test%3E', body: SDP }),
      answer: [400, 403],
    },
    {
      name: '4475 3.1.2.12 a date in another zone',
      text: make('INVITE', { body: SDP, extra: ['Date: Fri, 01 Jan 2010 16:00:00 EST'] }),
      answer: NO_CALLS,
    },
    {
      name: '4475 3.1.2.13 a Contact with headers and no <>',
      text: make('REGISTER', {
        change: { Contact: 'Contact: sip:a@b.test?Route=%3Csip:x.test%3E' },
      }),
      answer: REGISTER,
    },
    {
      name: '4475 3.1.2.14 space inside <>',
      text: make('OPTIONS', { change: { To: 'To: "Callee, A" < sip:callee@appliance.test >' } }),
      answer: [400],
    },
    {
      name: '4475 3.1.2.15 a display name that wants quotes',
      text: make('OPTIONS', { change: { From: 'From: Bell, A <sip:a@torture.test>;tag=43' } }),
      answer: [200, 400],
    },
    {
      name: '4475 3.1.2.16 another version',
      text: make('OPTIONS', { version: 'SIP/7.0' }),
      answer: [505],
    },
    {
      name: '4475 3.1.2.17 the CSeq of another method',
      text: make('OPTIONS', { change: { CSeq: 'CSeq: 8 INVITE' } }),
      answer: [400],
    },
    {
      name: '4475 3.1.2.18 the CSeq of another method than the unknown one',
      text: make('NEWMETHOD', { change: { CSeq: 'CSeq: 8 INVITE' } }),
      answer: [400, 501],
    },
    {
      name: '4475 3.1.2.19 a status too large',
      text: response('SIP/2.0 4294967301 better not', protocol),
      answer: [0],
    },
  ]
}

function beyondTheParser(make: Make, protocol: string): Torture[] {
  return [
    {
      name: '4475 3.2.1 a branch that is the cookie alone',
      text: make('OPTIONS', {
        change: { Via: `Via: SIP/2.0/${protocol} 192.0.2.1:5060;rport;branch=z9hG4bK` },
      }),
      answer: [200],
    },
    {
      name: '4475 3.3.1 headers missing',
      text: make('INVITE', {
        change: { From: null, To: null, 'Call-ID': null, Contact: null, 'Max-Forwards': null },
      }),
      answer: [400, 0],
    },
    {
      name: '4475 3.3.2 a scheme that nobody knows',
      text: make('OPTIONS', { uri: 'nobodyKnowsThisScheme:totallyopaquecontent' }),
      answer: [416],
    },
    {
      name: '4475 3.3.3 a scheme that is not for SIP',
      text: make('OPTIONS', { uri: 'soap.beep://192.0.2.103:3002' }),
      answer: [416],
    },
    {
      name: '4475 3.3.4 schemes in To and From that nobody knows',
      text: make('REGISTER', {
        change: { To: 'To: isbn:2983792873', From: 'From: <http://www.torture.test>;tag=3234' },
      }),
      answer: REGISTER,
    },
    {
      name: '4475 3.3.5 extensions that nobody knows',
      text: make('OPTIONS', {
        extra: ['Require: nothingSupportsThis, nothingSupportsThisEither', 'Proxy-Require: no'],
      }),
      answer: [420],
    },
    {
      name: '4475 3.3.6 a body of an unknown type',
      text: make('INVITE', {
        body: '<audio><pcmu port="443"/></audio>',
        change: { 'Content-Type': 'Content-Type: application/unknownformat' },
      }),
      answer: [415],
    },
    {
      name: '4475 3.3.7 credentials of an unknown scheme',
      text: make('REGISTER', { extra: ['Authorization: NoOneKnowsThisScheme opaque-data=here'] }),
      answer: REGISTER,
    },
    {
      name: '4475 3.3.8 headers repeated that may occur once',
      text: make('INVITE', {
        body: SDP,
        extra: ['CSeq: 59 INVITE', 'Call-ID: again', 'To: <sip:x@y>'],
      }),
      answer: [400],
    },
    {
      name: '4475 3.3.9 two lengths',
      text: make('OPTIONS', { body: 'abc', extra: ['Content-Length: 7'] }),
      answer: [400],
    },
    {
      name: '4475 3.3.10 a response to everybody',
      text: response(
        'SIP/2.0 200 OK',
        protocol,
        `SIP/2.0/${protocol} 255.255.255.255;branch=z9hG4bK1`,
      ),
      answer: [0],
    },
    {
      name: '4475 3.3.11 no hops left',
      text: make('OPTIONS', { change: { 'Max-Forwards': 'Max-Forwards: 0' } }),
      answer: [200, 483],
    },
    {
      name: '4475 3.3.12 to 3.3.14 a REGISTER with parameters',
      text: make('REGISTER', {
        change: { Contact: 'Contact: sip:+1555;unknown@torture.test;x?Route=%3Csip:s.test%3E' },
      }),
      answer: REGISTER,
    },
    {
      name: '4475 3.3.15 an Accept that names no SDP',
      text: make('INVITE', { extra: ['Accept: text/nobodyKnowsThis'] }),
      answer: [403, 406],
    },
    {
      name: '4475 3.4.1 an INVITE as of RFC 2543',
      text: make('INVITE', {
        body: SDP,
        change: {
          Via: `Via: SIP/2.0/${protocol} 192.0.2.1:5060;rport`,
          'Max-Forwards': null,
          From: 'From: caller <sip:caller@torture.test>',
        },
      }),
      answer: [400, 403],
    },
  ]
}

function ipv6(make: Make): Torture[] {
  const via = (sentBy: string): Record<string, string> => ({
    Via: `Via: SIP/2.0/UDP ${sentBy};branch=z9hG4bK5118${++count};rport`,
  })
  return [
    {
      name: '5118 4.1 IPv6 references',
      text: make('REGISTER', { uri: 'sip:[2001:db8::10]', change: via('[2001:db8::9:1]') }),
      answer: REGISTER,
    },
    {
      name: '5118 4.2 an IPv6 address without brackets',
      text: make('OPTIONS', { uri: 'sip:2001:db8::10' }),
      answer: [400],
    },
    {
      name: '5118 4.3 a port that may be part of the address',
      text: make('OPTIONS', { uri: 'sip:[2001:db8::10:5070]' }),
      answer: [200],
    },
    {
      name: '5118 4.4 a port beside the address',
      text: make('OPTIONS', { uri: 'sip:[2001:db8::10]:5070' }),
      answer: [200],
    },
    {
      name: '5118 4.5 received without brackets',
      text: make('OPTIONS', { change: via('[2001:db8::9:1];received=2001:db8::9:255') }),
      answer: [200],
    },
    {
      name: '5118 4.5 received with brackets',
      text: make('OPTIONS', { change: via('[2001:db8::9:1];received=[2001:db8::9:255]') }),
      answer: [200],
    },
    {
      name: '5118 4.8 to 4.9 an IPv4 address inside IPv6',
      text: make('INVITE', {
        uri: 'sip:callee@[::ffff:192.0.2.10]',
        body: SDP.replaceAll('IP4 192.0.2.1', 'IP6 ::ffff:192.0.2.2'),
      }),
      answer: NO_CALLS,
    },
    {
      name: '5118 4.10 three colons',
      text: make('OPTIONS', { uri: 'sip:callee@[2001:db8:::192.0.2.1]' }),
      answer: [200, 400],
    },
  ]
}

function onlyDatagrams(make: Make): Torture[] {
  return [
    {
      name: '4475 3.1.1.8 two requests in one datagram',
      text: make('REGISTER') + make('INVITE'),
      answer: REGISTER,
    },
    {
      name: '4475 3.1.2.2 a length beyond the datagram',
      text: make('INVITE', { body: SDP, change: { 'Content-Length': 'Content-Length: 9999' } }),
      answer: [400],
    },
    {
      name: '4475 3.1.2.3 a negative length',
      text: make('INVITE', { body: SDP, change: { 'Content-Length': 'Content-Length: -999' } }),
      answer: [400],
    },
  ]
}
