/** A name server on loopback that knows what a test tells it: A, SRV and NAPTR records (RFC 1035, 2782, 3403). */
export interface Records {
  a?: Record<string, string[]>
  srv?: Record<string, { name: string; port: number; priority: number; weight: number }[]>
  naptr?: Record<
    string,
    { order: number; preference: number; flags: string; service: string; replacement: string }[]
  >
}

export interface DnsServer {
  port: number
  /** `type name` of each question, e.g. `33 _sip._udp.sip.test`. */
  asked: string[]
  close(): void
}

const A = 1
const SRV = 33
const NAPTR = 35

export async function startDnsServer(records: Records): Promise<DnsServer> {
  const asked: string[] = []
  const socket = await Bun.udpSocket({
    hostname: '127.0.0.1',
    port: 0,
    binaryType: 'buffer',
    socket: {
      data(own, data, port, host) {
        const question = readQuestion(data)
        asked.push(`${question.type} ${question.name}`)
        own.send(answer(data, question, dataFor(records, question)), port, host)
      },
      error() {},
    },
  })
  return { port: socket.port, asked, close: () => socket.close() }
}

interface Question {
  name: string
  type: number
  end: number
}

function readQuestion(message: Buffer): Question {
  const labels: string[] = []
  let at = 12
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  return { name: labels.join('.').toLowerCase(), type: message.readUInt16BE(at + 1), end: at + 5 }
}

function dataFor(records: Records, { name, type }: Question): Buffer[] {
  if (type === A)
    return (records.a?.[name] ?? []).map((address) => Buffer.from(address.split('.').map(Number)))
  if (type === SRV)
    return (records.srv?.[name] ?? []).map((record) =>
      Buffer.concat([numbers(record.priority, record.weight, record.port), domain(record.name)]),
    )
  if (type === NAPTR)
    return (records.naptr?.[name] ?? []).map((record) =>
      Buffer.concat([
        numbers(record.order, record.preference),
        ...[record.flags, record.service, ''].map(text),
        domain(record.replacement),
      ]),
    )
  return []
}

function answer(query: Buffer, question: Question, data: readonly Buffer[]): Buffer {
  const header = Buffer.alloc(12)
  query.copy(header, 0, 0, 2)
  // A response, recursion desired and available; with nothing to say, the name does not exist.
  header.writeUInt16BE(data.length > 0 ? 0x8180 : 0x8183, 2)
  header.writeUInt16BE(1, 4)
  header.writeUInt16BE(data.length, 6)
  const answers = data.map((bytes) =>
    Buffer.concat([numbers(0xc00c, question.type, 1, 0, 60, bytes.length), bytes]),
  )
  return Buffer.concat([header, query.subarray(12, question.end), ...answers])
}

function numbers(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 2)
  for (const [n, value] of values.entries()) bytes.writeUInt16BE(value, n * 2)
  return bytes
}

function text(value: string): Buffer {
  return Buffer.concat([Buffer.from([value.length]), Buffer.from(value, 'latin1')])
}

function domain(name: string): Buffer {
  const labels = name.split('.').filter((label) => label !== '')
  return Buffer.concat([...labels.map(text), Buffer.from([0])])
}
