import type { Counter, Gauge, Histogram, Registry } from 'prom-client'

/** What the parts tell of themselves; `/metrics` shows it. All functions return at once and never throw. */
export interface Metrics {
  /** A call reached its final status. */
  callEnded(o: { status: string; endReason: string | null; durationSeconds: number }): void
  /** How many calls are initiated, ringing or in progress. */
  activeCalls(count: number): void
  /** One answer of the agent; null where a stage did not happen. All in ms. */
  answer(o: {
    /** End of the human's speech to the first packet of the answer. */
    responseGapMs: number | null
    /** Request to the language model until its first token. */
    firstTokenMs: number | null
    /** Text to the voice until its first sound. */
    firstSoundMs: number | null
  }): void
  /** One attempt of a delivery. */
  delivery(outcome: 'delivered' | 'retried' | 'failed' | 'waiting'): void
  /** Datagrams that were no SIP message. */
  sipParseErrors(count: number): void
  /** How one trunk is now; `registered` is null for one that does not register. */
  trunk(o: { name: string; registered: boolean | null; calls: number }): void
  /** SIP connections over TCP and TLS that are open now. */
  sipConnections(count: number): void
  /** RTP packets from elsewhere than the agreed source. */
  rtpForeignPackets(count: number): void
  /** RTP packets that SRTP could not vouch for. */
  rtpUnauthenticPackets(count: number): void
  /** How late RTP packets left since the last reading, in ms, and how many they were. */
  rtpLateness(o: { packets: number; p50: number; p99: number; max: number }): void
  /** `route` is the pattern (`/api/v1/calls/:id`), never the path. */
  httpRequest(o: { method: string; route: string; status: number; durationMs: number }): void
  /** The Prometheus text. */
  text(): Promise<string>
  /** The Content-Type of `text`. */
  readonly contentType: string
}

/** Observations before the library is loaded wait here; this many make it load. */
const MOST_WAITING = 200
/** More routes than this are told as `other`, so that no client can grow the memory. */
const MOST_ROUTES = 100

const SECONDS = [0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10]

/** The library is loaded with the first reading of the text (or a few hundred observations), not at start. */
export function createMetrics(): Metrics {
  let waiting: ((meters: Meters) => void)[] = []
  let meters: Meters | undefined
  let loading: Promise<Meters> | undefined
  const routes = new Set<string>()

  const load = (): Promise<Meters> => {
    loading ??= import('prom-client').then((library) => {
      const loaded = createMeters(library)
      for (const observe of waiting) observe(loaded)
      waiting = []
      meters = loaded
      return loaded
    })
    return loading
  }
  const record = (observe: (meters: Meters) => void): void => {
    if (meters) observe(meters)
    else if (waiting.push(observe) > MOST_WAITING) void load().catch(() => (waiting = []))
  }
  const known = (route: string): string => {
    if (routes.size < MOST_ROUTES) routes.add(route)
    return routes.has(route) ? route : 'other'
  }

  return {
    contentType: 'text/plain; version=0.0.4; charset=utf-8',
    callEnded: ({ status, endReason, durationSeconds }) =>
      record((m) => {
        m.calls.inc({ status, end_reason: endReason ?? '' })
        if (durationSeconds > 0) m.callSeconds.observe(durationSeconds)
      }),
    activeCalls: (count) => record((m) => m.activeCalls.set(count)),
    answer: (o) =>
      record((m) => {
        observeMs(m.responseGap, o.responseGapMs)
        observeMs(m.firstToken, o.firstTokenMs)
        observeMs(m.firstSound, o.firstSoundMs)
      }),
    delivery: (outcome) => record((m) => m.deliveries.inc({ outcome })),
    sipParseErrors: (count) => record((m) => m.sipParseErrors.inc(Math.max(0, count))),
    trunk: ({ name, registered, calls }) =>
      record((m) => {
        if (registered !== null) m.trunkRegistered.set({ trunk: name }, registered ? 1 : 0)
        m.trunkCalls.set({ trunk: name }, calls)
      }),
    sipConnections: (count) => record((m) => m.sipConnections.set(count)),
    rtpForeignPackets: (count) => record((m) => m.rtpForeign.inc(Math.max(0, count))),
    rtpUnauthenticPackets: (count) => record((m) => m.rtpUnauthentic.inc(Math.max(0, count))),
    rtpLateness: ({ packets, p50, p99, max }) =>
      record((m) => {
        m.rtpTimed.inc(Math.max(0, packets))
        for (const [quantile, ms] of [
          ['0.5', p50],
          ['0.99', p99],
          ['1', max],
        ] as const)
          m.rtpLateness.set({ quantile }, ms / 1000)
      }),
    httpRequest: ({ method, route, status, durationMs }) => {
      const labels = { method, route: known(route), status: String(status) }
      record((m) => m.http.observe(labels, durationMs / 1000))
    },
    text: async () => (await load()).registry.metrics(),
  }
}

interface Meters {
  registry: Registry
  calls: Counter
  callSeconds: Histogram
  activeCalls: Gauge
  responseGap: Histogram
  firstToken: Histogram
  firstSound: Histogram
  deliveries: Counter
  sipParseErrors: Counter
  trunkRegistered: Gauge
  trunkCalls: Gauge
  sipConnections: Gauge
  rtpForeign: Counter
  rtpUnauthentic: Counter
  rtpTimed: Counter
  rtpLateness: Gauge
  http: Histogram
}

function createMeters(library: typeof import('prom-client')): Meters {
  const registers = [new library.Registry()]
  const registry = registers[0] as Registry
  const counter = (name: string, help: string, labelNames: string[] = []): Counter =>
    new library.Counter({ name, help, labelNames, registers })
  const seconds = (
    name: string,
    help: string,
    buckets: number[] = SECONDS,
    labelNames: string[] = [],
  ): Histogram => new library.Histogram({ name, help, buckets, labelNames, registers })
  library.collectDefaultMetrics({ register: registry })
  return {
    registry,
    calls: counter('landline_calls_total', 'Calls that reached a final status.', [
      'status',
      'end_reason',
    ]),
    callSeconds: seconds(
      'landline_call_duration_seconds',
      'How long answered calls lasted.',
      [10, 30, 60, 120, 300, 600, 1800, 3600, 7200],
    ),
    activeCalls: new library.Gauge({
      name: 'landline_active_calls',
      help: 'Calls that are initiated, ringing or in progress.',
      registers,
    }),
    responseGap: seconds(
      'landline_response_gap_seconds',
      "End of the human's speech to the first packet of the answer.",
    ),
    firstToken: seconds(
      'landline_first_token_seconds',
      'Request to the language model until its first token.',
    ),
    firstSound: seconds('landline_first_sound_seconds', 'Text to the voice until its first sound.'),
    deliveries: counter('landline_webhook_attempts_total', 'Attempts of webhook deliveries.', [
      'outcome',
    ]),
    sipParseErrors: counter(
      'landline_sip_parse_errors_total',
      'Datagrams that are no SIP message.',
    ),
    trunkRegistered: new library.Gauge({
      name: 'landline_trunk_registered',
      help: 'Whether a trunk that registers is registered.',
      labelNames: ['trunk'],
      registers,
    }),
    trunkCalls: new library.Gauge({
      name: 'landline_trunk_calls',
      help: 'Calls that a trunk carries.',
      labelNames: ['trunk'],
      registers,
    }),
    sipConnections: new library.Gauge({
      name: 'landline_sip_connections',
      help: 'SIP connections over TCP and TLS that are open.',
      registers,
    }),
    rtpForeign: counter(
      'landline_rtp_foreign_packets_total',
      'RTP packets from elsewhere than the agreed source.',
    ),
    rtpUnauthentic: counter(
      'landline_rtp_unauthentic_packets_total',
      'RTP packets that SRTP could not vouch for.',
    ),
    rtpTimed: counter('landline_rtp_packets_sent_total', 'RTP packets that were due and left.'),
    rtpLateness: new library.Gauge({
      name: 'landline_rtp_lateness_seconds',
      help: 'How late RTP packets left since the last reading.',
      labelNames: ['quantile'],
      registers,
    }),
    http: seconds(
      'landline_http_request_duration_seconds',
      'Requests by route and status.',
      [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5],
      ['method', 'route', 'status'],
    ),
  }
}

function observeMs(histogram: Histogram, ms: number | null): void {
  if (ms !== null && ms >= 0) histogram.observe(ms / 1000)
}
