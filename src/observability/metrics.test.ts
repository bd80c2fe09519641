import { describe, expect, it } from 'vitest'
import { createMetrics, type Metrics } from './metrics.ts'

/** The sample lines of the text, less help and types. */
async function samples(metrics: Metrics): Promise<Map<string, number>> {
  const lines = (await metrics.text()).split('\n').filter((line) => line && !line.startsWith('#'))
  return new Map(
    lines.map((line) => {
      const cut = line.lastIndexOf(' ')
      return [line.slice(0, cut), Number(line.slice(cut + 1))]
    }),
  )
}

describe('the metrics', () => {
  it('tell what was observed before the library was loaded, and after', async () => {
    const metrics = createMetrics()
    metrics.callEnded({ status: 'completed', endReason: 'agent_hangup', durationSeconds: 12 })
    metrics.callEnded({ status: 'busy', endReason: null, durationSeconds: 0 })
    metrics.activeCalls(2)
    expect((await samples(metrics)).get('landline_active_calls')).toBe(2)
    metrics.callEnded({ status: 'busy', endReason: null, durationSeconds: 0 })
    const after = await samples(metrics)
    expect(after.get('landline_calls_total{status="completed",end_reason="agent_hangup"}')).toBe(1)
    expect(after.get('landline_calls_total{status="busy",end_reason=""}')).toBe(2)
    expect(after.get('landline_call_duration_seconds_count')).toBe(1)
  })

  it('count in seconds what is told in ms, and leave out what did not happen', async () => {
    const metrics = createMetrics()
    metrics.answer({ responseGapMs: 640, firstTokenMs: 250, firstSoundMs: null })
    const seen = await samples(metrics)
    expect(seen.get('landline_response_gap_seconds_sum')).toBeCloseTo(0.64)
    expect(seen.get('landline_first_token_seconds_count')).toBe(1)
    expect(seen.get('landline_first_sound_seconds_count')).toBe(0)
  })

  it('count deliveries, broken SIP, foreign RTP and requests', async () => {
    const metrics = createMetrics()
    metrics.delivery('delivered')
    metrics.delivery('retried')
    metrics.sipParseErrors(1)
    metrics.rtpForeignPackets(7)
    metrics.rtpUnauthenticPackets(3)
    metrics.httpRequest({ method: 'GET', route: '/api/v1/me', status: 200, durationMs: 3 })
    const seen = await samples(metrics)
    expect(seen.get('landline_webhook_attempts_total{outcome="delivered"}')).toBe(1)
    expect(seen.get('landline_webhook_attempts_total{outcome="retried"}')).toBe(1)
    expect(seen.get('landline_sip_parse_errors_total')).toBe(1)
    expect(seen.get('landline_rtp_foreign_packets_total')).toBe(7)
    expect(seen.get('landline_rtp_unauthentic_packets_total')).toBe(3)
    expect(
      seen.get(
        'landline_http_request_duration_seconds_count{method="GET",route="/api/v1/me",status="200"}',
      ),
    ).toBe(1)
  })

  it('tell how each trunk is', async () => {
    const metrics = createMetrics()
    metrics.trunk({ name: 'main', registered: true, calls: 3 })
    metrics.trunk({ name: 'sbc', registered: null, calls: 0 })
    metrics.sipConnections(2)
    const seen = await samples(metrics)
    expect(seen.get('landline_trunk_registered{trunk="main"}')).toBe(1)
    expect(seen.has('landline_trunk_registered{trunk="sbc"}')).toBe(false)
    expect(seen.get('landline_trunk_calls{trunk="main"}')).toBe(3)
    expect(seen.get('landline_sip_connections')).toBe(2)
  })

  it('tell how late sound left since the last reading', async () => {
    const metrics = createMetrics()
    metrics.rtpLateness({ packets: 500, p50: 0.4, p99: 3, max: 12 })
    metrics.rtpLateness({ packets: 100, p50: 0.2, p99: 2, max: 2.5 })
    const seen = await samples(metrics)
    expect(seen.get('landline_rtp_packets_sent_total')).toBe(600)
    const at = (quantile: string) =>
      seen.get(`landline_rtp_lateness_seconds{quantile="${quantile}"}`)
    expect([at('0.5'), at('0.99'), at('1')]).toEqual([0.0002, 0.002, 0.0025])
  })

  it('keep every observation however many come before the first reading', async () => {
    const metrics = createMetrics()
    for (let i = 0; i < 1000; i++) metrics.sipParseErrors(1)
    expect((await samples(metrics)).get('landline_sip_parse_errors_total')).toBe(1000)
  })

  it('fold endless routes into one', async () => {
    const metrics = createMetrics()
    for (let i = 0; i < 500; i++)
      metrics.httpRequest({ method: 'GET', route: `/${i}`, status: 404, durationMs: 1 })
    const routes = [...(await samples(metrics)).keys()].filter((name) =>
      name.startsWith('landline_http_request_duration_seconds_count'),
    )
    expect(routes).toHaveLength(101)
    expect(routes.some((name) => name.includes('route="other"'))).toBe(true)
  })

  it('belong to one appliance each, so that two in a process do not mix', async () => {
    const [one, two] = [createMetrics(), createMetrics()]
    one.sipParseErrors(1)
    expect((await samples(one)).get('landline_sip_parse_errors_total')).toBe(1)
    expect((await samples(two)).get('landline_sip_parse_errors_total')).toBe(0)
  })
})
