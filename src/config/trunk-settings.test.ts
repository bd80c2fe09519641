import { describe, expect, it } from 'vitest'
import { type Given, parse, refusal } from '../../test/kit/config.ts'
import { TRUNK_SETTINGS } from './settings.ts'

const TRUNK_TOML = `[[sip.trunks]]
name = "one"
host = "sip.example"
port = 5080
domain = "example.org"
transport = "tls"
username = "u"
password = "p"
register = true
expires = "5m"
outbound_proxy = "10.0.0.9:5062"
allowed_sources = ["192.0.2.0/24", "2001:db8::/32"]
numbers = ["+15551230001", "+15551230002"]
caller_id = "pai"
number_format = "national"
codecs = ["opus", "G722", "PCMA"]
srtp = "required"
dtmf = "info"
max_calls = 2
per_second = 1.5
ca_file = "/ca.pem"
verify = false

[[sip.trunks]]
host = "198.51.100.7"
`
const TRUNK = {
  name: 'one',
  host: 'sip.example',
  port: 5080,
  domain: 'example.org',
  transport: 'tls',
  username: 'u',
  password: 'p',
  register: true,
  expiresSeconds: 300,
  outboundProxy: '10.0.0.9:5062',
  allowedSources: ['192.0.2.0/24', '2001:db8::/32'],
  numbers: ['+15551230001', '+15551230002'],
  callerId: 'pai',
  numberFormat: 'national',
  codecs: ['opus', 'G722', 'PCMA'],
  srtp: 'required',
  dtmf: 'info',
  maxCalls: 2,
  perSecond: 1.5,
  caFile: '/ca.pem',
  verify: false,
}

describe('trunks', () => {
  it('are read with every key, in their order', () => {
    const { trunks } = parse({ toml: TRUNK_TOML }).config.sip
    expect(trunks[0]).toEqual(TRUNK)
    expect(trunks[1]).toMatchObject({
      name: 'trunk2',
      host: '198.51.100.7',
      port: null,
      domain: null,
      transport: null,
      register: false,
      expiresSeconds: 600,
      numberFormat: '+e164',
      codecs: ['PCMU', 'PCMA'],
      dtmf: 'rfc4733',
      maxCalls: null,
      perSecond: null,
      caFile: null,
      verify: true,
    })
  })

  it('have a variable for every key of the first', () => {
    const env = Object.fromEntries(
      [...(TRUNK_TOML.split('\n\n')[0] ?? '').matchAll(/^(\w+) = (.*)$/gm)].map(
        ([, key, value]) => [
          `LANDLINE_TRUNK_${key?.toUpperCase()}`,
          (value ?? '').replace(/["[\]]/g, ''),
        ],
      ),
    )
    expect(Object.keys(env)).toHaveLength(Object.keys(TRUNK_SETTINGS).length)
    const { config, warnings } = parse({ env })
    expect(config.sip.trunks).toEqual([TRUNK])
    expect(warnings).toEqual([])
  })

  it('take the variables of the first over the file, and leave the second alone', () => {
    const { trunks } = parse({
      toml: TRUNK_TOML,
      env: { LANDLINE_TRUNK_HOST: 'other.example' },
    }).config.sip
    expect(trunks.map(({ name, host }) => [name, host])).toEqual([
      ['one', 'other.example'],
      ['trunk2', '198.51.100.7'],
    ])
  })

  const trunk = (rest: string): Given => ({ toml: `[[sip.trunks]]\nhost = "h.example"\n${rest}` })
  it.each([
    ['transport = "sctp"', 'must be one of "udp", "tcp", "tls"'],
    ['per_second = 0', 'must be a number from 0.1 to 1000'],
    ['srtp = "on"', 'must be one of "off", "optional", "required"'],
    ['dtmf = "tone"', 'must be one of "rfc4733", "info", "inband"'],
    ['codecs = ["G729"]', 'is not available yet (available: "PCMU", "PCMA", "G722", "opus")'],
    ['verify = "no"', 'must be true or false'],
    ['codecs = []', 'must name at least one codec'],
    ['codecs = ["PCMU", "PCMU"]', 'must not name a codec twice'],
    ['register = true', 'needs username and password'],
    ['numbers = ["555"]', 'must be a phone number in E.164'],
    ['allowed_sources = ["10.0.0.0/99"]', 'must be an IP address or a block'],
    ['allowed_sources = ["10.1"]', 'must be an IP address or a block'],
    ['outbound_proxy = "sip:h"', 'must be a host or "host:port"'],
    ['expires = "5s"', 'must be a duration from 1m to 1d'],
    ['username = "a\\r\\nVia: x"', 'must not hold control characters'],
    ['port = 0', 'must be a whole number from 1 to 65535'],
  ])('refuse %s', (rest, wrong) => {
    const message = refusal(trunk(rest))
    expect(message).toMatch(`sip.trunks[0].${rest.split(' ')[0]} = `)
    expect(message).toMatch(wrong)
    expect(message).toMatch(/\(landline\.toml:3\)$/)
  })

  it('refuse a trunk without host and two of one name', () => {
    expect(refusal({ toml: '\n[[sip.trunks]]\nname = "x"' })).toBe(
      'sip.trunks[0].host is missing (landline.toml:2)',
    )
    expect(refusal({ env: { LANDLINE_TRUNK_USERNAME: 'u' } })).toBe(
      'sip.trunks[0].host is missing (LANDLINE_TRUNK_HOST)',
    )
    expect(
      refusal({
        toml: '[[sip.trunks]]\nhost = "a"\nname = "x"\n[[sip.trunks]]\nname = "x"\nhost = "b"',
      }),
    ).toBe('sip.trunks[1].name = "x": names another trunk already (landline.toml:5)')
  })
})
