/** The configuration of a test's appliance: every port its own, loopback only, engines that need nothing. */

export type Setting = string | number | boolean | readonly string[]

export interface Settings {
  /** Keys of `landline.toml` by their path, over the kit's own. */
  settings?: Record<string, Setting>
  /** The first trunk; null: none. */
  trunk?: Record<string, Setting> | null
  /** PEM of the private CA that webhooks trust. */
  ca?: string
}

export const OUR_NUMBER = '+15559876543'
/** RTP ports of one appliance. */
const PORTS = 40

/** The text of the file; `data_dir`, the dialogue and the CA lie where the kit's appliance puts them. */
export function toToml(o: Settings, ports: { sipPort: number; rtp: number }): string {
  const free = Math.min(ports.rtp, 65_535 - PORTS) & ~1
  // The ports of the sound must not hold the one of signalling.
  const collides = ports.sipPort >= free && ports.sipPort < free + PORTS
  const rtp = collides ? free - PORTS : free
  const settings: Record<string, Setting> = {
    'http.port': 0,
    'account.name': 'Test',
    'account.timezone': 'UTC',
    'sip.host': '127.0.0.1',
    'sip.port': ports.sipPort,
    'sip.rtp_ports': `${rtp}-${rtp + PORTS - 1}`,
    'webhooks.allowed_hosts': ['127.0.0.1'],
    'webhooks.retry_base': '300ms',
    'speech.stt.model': 'demo',
    'llm.engine': 'scripted',
    'llm.script': 'agent.dialogue',
    ...(o.ca === undefined ? {} : { 'webhooks.ca_file': 'ca.pem' }),
    ...o.settings,
  }
  const sections = new Map<string, string[]>()
  for (const [path, value] of Object.entries(settings)) {
    const dot = path.lastIndexOf('.')
    const lines = sections.get(path.slice(0, dot)) ?? []
    lines.push(`${path.slice(dot + 1)} = ${JSON.stringify(value)}`)
    sections.set(path.slice(0, dot), lines)
  }
  const blocks = [...sections].map(([name, lines]) => [`[${name}]`, ...lines])
  if (o.trunk) blocks.push(['[[sip.trunks]]', ...Object.entries(trunkWith(o.trunk)).map(toLine)])
  return `data_dir = "../data"\n\n${blocks.map((lines) => lines.join('\n')).join('\n\n')}\n`
}

function trunkWith(trunk: Record<string, Setting>): Record<string, Setting> {
  return { name: 'main', host: '127.0.0.1', numbers: [OUR_NUMBER], ...trunk }
}

function toLine([key, value]: [string, Setting]): string {
  return `${key} = ${JSON.stringify(value)}`
}
