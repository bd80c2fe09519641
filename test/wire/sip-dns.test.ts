import { getServers, resolve4, setServers } from 'node:dns/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { systemDns } from '../../src/telephony/sip/dns.ts'
import { headerOf } from '../../src/telephony/sip/wire-message.ts'
import { type DnsServer, type Records, startDnsServer } from '../kit/dns-server.ts'
import { ANSWER_SDP, ScriptedUas } from '../kit/scripted-uas.ts'
import { startSipSide, trunkOptions } from '../kit/sip-side.ts'

const ends: (() => unknown)[] = []

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function startDns(records: Records): Promise<DnsServer> {
  const server = await startDnsServer(records)
  const before = getServers()
  setServers([`127.0.0.1:${server.port}`])
  ends.push(() => {
    setServers(before)
    server.close()
  })
  return server
}

/** As the system's, but addresses come from the test's server too, which the hosts file's road does not ask. */
const dns = {
  ...systemDns,
  addresses: async (host: string) =>
    (await resolve4(host)).map((address) => ({ address, family: 4 })),
}

async function callOver(uas: ScriptedUas): Promise<string> {
  uas.onMessage = (received) => {
    const { method, kind } = received.message
    if (kind !== 'request' || method === 'ACK') return
    if (method === 'INVITE') uas.reply(received, 200, { body: ANSWER_SDP() })
    else uas.reply(received, 200)
  }
  const options = { host: 'sip.test', port: null, transport: null }
  const side = await startSipSide([trunkOptions(0, options)], { dns })
  ends.push(() => side.telephony.stop())
  const dialed = await side.dial().dialed
  if (!('answered' in dialed)) throw new Error(JSON.stringify(dialed))
  await dialed.answered.hangup()
  return headerOf((await uas.wait('INVITE')).message, 'via')?.slice(0, 11) ?? ''
}

describe('a trunk that is found by its records, asked of a real name server', () => {
  it('by SRV', async () => {
    const uas = await ScriptedUas.open()
    ends.push(() => uas.close())
    const server = await startDns({
      srv: {
        '_sip._udp.sip.test': [{ name: 'edge.test', port: uas.port, priority: 1, weight: 1 }],
      },
      a: { 'edge.test': ['127.0.0.1'] },
    })
    expect(await callOver(uas)).toBe('SIP/2.0/UDP')
    expect([...server.asked].sort()).toEqual([
      '1 edge.test',
      '33 _sip._tcp.sip.test',
      '33 _sip._udp.sip.test',
      '35 sip.test',
    ])
  })

  it('by NAPTR, over TCP', async () => {
    const uas = await ScriptedUas.openStream()
    ends.push(() => uas.close())
    const record = { preference: 1, flags: 's', replacement: '_sip._tcp.sip.test' }
    await startDns({
      naptr: { 'sip.test': [{ ...record, order: 1, service: 'SIP+D2T' }] },
      srv: {
        '_sip._tcp.sip.test': [{ name: 'edge.test', port: uas.port, priority: 1, weight: 1 }],
        '_sip._udp.sip.test': [{ name: 'edge.test', port: 1, priority: 1, weight: 1 }],
      },
      a: { 'edge.test': ['127.0.0.1'] },
    })
    expect(await callOver(uas)).toBe('SIP/2.0/TCP')
  })
})
