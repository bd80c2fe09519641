import { describe, expect, it } from 'vitest'
import { SourceRule } from './source-rule.ts'

function setup(host = '198.51.100.7', signallingHost = '198.51.100.1') {
  const rule = new SourceRule()
  rule.agree({ host, port: 4000 }, signallingHost, 0)
  return rule
}

describe('SourceRule', () => {
  it('takes the exact address and port at once and sends there', () => {
    const rule = setup()
    expect(rule.accepts('198.51.100.7', 4000, 0)).toBe(true)
    expect(rule.destination).toEqual({ host: '198.51.100.7', port: 4000 })
  })

  it('refuses another port or address while the source is heard', () => {
    const rule = setup()
    for (let now = 0; now < 10_000; now += 20) {
      expect(rule.accepts('198.51.100.7', 4000, now)).toBe(true)
      expect(rule.accepts('198.51.100.7', 4002, now + 1)).toBe(false)
      expect(rule.accepts('203.0.113.9', 4000, now + 2)).toBe(false)
    }
    expect(rule.destination).toEqual({ host: '198.51.100.7', port: 4000 })
  })

  it('lets another port of the same address take over after 500 ms of silence, then locks', () => {
    const rule = setup()
    expect(rule.accepts('198.51.100.7', 4002, 499)).toBe(false)
    expect(rule.accepts('198.51.100.7', 4002, 500)).toBe(true)
    expect(rule.destination).toEqual({ host: '198.51.100.7', port: 4002 })
    expect(rule.accepts('198.51.100.7', 4000, 5000)).toBe(false)
    expect(rule.accepts('198.51.100.7', 4004, 9000)).toBe(false)
    expect(rule.destination?.port).toBe(4002)
  })

  it('never lets a stranger in, however long it is silent', () => {
    const rule = setup()
    for (let now = 0; now < 60_000; now += 20)
      expect(rule.accepts('203.0.113.9', 4000, now)).toBe(false)
    // The signalling address counts only where the SDP's is private.
    expect(rule.accepts('198.51.100.1', 4000, 60_000)).toBe(false)
  })

  it.each(['10.1.2.3', '192.168.178.20', '172.20.0.1', '100.64.0.9', 'fd00::7'])(
    'takes sound from the signalling address when the SDP says %s (livekit/sip#208, livekit/sip#611)',
    (host) => {
      const rule = setup(host)
      expect(rule.accepts('198.51.100.1', 31_000, 499)).toBe(false)
      expect(rule.accepts('203.0.113.9', 31_000, 700)).toBe(false)
      expect(rule.accepts('198.51.100.1', 31_000, 700)).toBe(true)
      expect(rule.destination).toEqual({ host: '198.51.100.1', port: 31_000 })
      expect(rule.accepts(host, 4000, 5000)).toBe(false)
    },
  )

  it('starts anew when the SDP changes, and not when it is only repeated', () => {
    const rule = setup()
    rule.accepts('198.51.100.7', 4002, 500)
    rule.agree({ host: '198.51.100.7', port: 4000 }, '198.51.100.1', 600)
    expect(rule.destination?.port).toBe(4002)
    rule.agree({ host: '198.51.100.8', port: 5000 }, '198.51.100.1', 700)
    expect(rule.destination).toEqual({ host: '198.51.100.8', port: 5000 })
    expect(rule.accepts('198.51.100.7', 4002, 5000)).toBe(false)
    expect(rule.accepts('198.51.100.8', 5002, 5000)).toBe(true)
  })

  it('knows IPv4 inside IPv6', () => {
    expect(setup().accepts('::ffff:198.51.100.7', 4000, 0)).toBe(true)
  })

  it.each(['0.0.0.0', '255.255.255.255', '224.0.0.1', '::', 'ff02::1', 'media.example', ''])(
    'neither sends to nor hears %o',
    (host) => {
      const rule = setup(host)
      expect(rule.destination).toBeUndefined()
      expect(rule.accepts(host, 4000, 0)).toBe(false)
      expect(rule.accepts('198.51.100.1', 4000, 5000)).toBe(false)
    },
  )

  it.each([0, -1, 65_536, 1.5, Number.NaN])('sends nothing to port %d', (port) => {
    const rule = new SourceRule()
    rule.agree({ host: '198.51.100.7', port }, '198.51.100.1', 0)
    expect(rule.destination).toBeUndefined()
  })
})
