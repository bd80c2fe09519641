import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Appliance } from '../../kit/appliance.ts'
import { awaited } from '../../kit/awaited.ts'
import { endAfterEach } from '../../kit/end-after-each.ts'
import { freePort } from '../../kit/peers.ts'
import { type Road, startRoad } from '../../kit/road.ts'
import { randomSource } from '../../kit/seeded.ts'

const end = endAfterEach()
const CALL_MS = 3_500

/** A call that the phone ends after a while, and what is sent at it meanwhile. */
async function callUnder(road: Road, harm: (rtpPort: number) => Promise<void>): Promise<void> {
  const { appliance, phone } = road
  phone.plan = () => ({ hangUp: CALL_MS })
  const id = await appliance.call({ firstMessage: 'Hello, this is a test of many words.' })
  await appliance.answered(id)
  const rtpPort = phone.dialogs[0]?.rtpPort ?? 0
  expect(rtpPort).toBeGreaterThan(0)
  await harm(rtpPort)
  const call = await appliance.ended(id)
  expect(appliance.running).toBe(true)
  expect(call).toMatchObject({ status: 'completed', endReason: 'human_hangup' })
  expect(call.duration).toBeGreaterThanOrEqual(CALL_MS / 1_000)
}

/** A socket that sends from this address of loopback. */
async function openSender(hostname: string) {
  const socket = await Bun.udpSocket({ hostname, port: 0, socket: { error() {} } })
  end(() => socket.close())
  return (data: string | Uint8Array, port: number): void => {
    socket.send(data, port, '127.0.0.1')
  }
}

function randomBytes(random: () => number, most: number): Uint8Array {
  return Uint8Array.from({ length: Math.floor(random() * most) }, () => random() * 256)
}

const BREAKS_SIP_JS = 'SIP/2.0 200 OK\r\nCSeq: x\r\n\r\n'

describe('the executable, during a call,', () => {
  it.each([
    ['the trunk', '127.0.0.1'],
    ['a stranger', '127.0.0.2'],
  ])('goes on under junk to its SIP port from %s', async (_who, address) => {
    const road = await startRoad(end)
    const send = await openSender(address)
    const random = randomSource(7)
    await callUnder(road, async () => {
      for (let i = 0; i < 300; i++) {
        send(BREAKS_SIP_JS, road.appliance.sipPort)
        send(randomBytes(random, 1_400), road.appliance.sipPort)
        send(`BYE sip:x@127.0.0.1 SIP/2.0\r\nCall-ID: ${i}\r\n\r\n`, road.appliance.sipPort)
        if (i % 10 === 0) await Bun.sleep(20)
      }
    })
  })

  it('goes on under junk to its RTP port, and its sound has no hole', async () => {
    const road = await startRoad(end)
    const send = await openSender('127.0.0.1')
    const random = randomSource(8)
    await callUnder(road, async (rtpPort) => {
      // The phone is quiet, but its packets come: whoever else sends is a stranger.
      road.phone.sound.talk(rtpPort, new Int16Array(8 * CALL_MS))
      for (let i = 0; i < 1_000; i++) {
        send(randomBytes(random, 1_400), rtpPort)
        // Looks like RTP, of a stranger: version 2, PCMU.
        send(Uint8Array.of(0x80, 0, i >> 8, i, ...randomBytes(random, 172)), rtpPort)
        if (i % 10 === 0) await Bun.sleep(10)
      }
    })
    const { packets } = road.phone.sound
    const sequence = packets.map((packet) => packet.sequence)
    const steps = sequence.slice(1).map((at, i) => (at - (sequence[i] ?? 0)) & 0xffff)
    expect(steps.filter((step) => step !== 1)).toEqual([])
    expect(packets.length).toBeGreaterThan((CALL_MS / 20) * 0.8)
  })

  it('lives when nobody listens where its sound goes: every packet is refused', async () => {
    const road = await startRoad(end)
    road.phone.soundPort = await freePort()
    await callUnder(road, async () => {})
    expect(road.phone.sound.packets).toEqual([])
  })
})

const DEMO_MODEL = join(import.meta.dirname, '../../../models/demo')

function read(file: string): Buffer {
  return readFileSync(join(DEMO_MODEL, file))
}

describe('the executable without an engine', () => {
  it('refuses an immediate call when Ollama is away, naming what mends it; takes a scheduled one', async () => {
    const url = `http://127.0.0.1:${await freePort()}`
    const { appliance, phone } = await startRoad(end, {
      settings: { 'llm.engine': 'ollama', 'llm.model': 'llama3.1:8b', 'llm.url': url },
    })
    const request = { phoneNumber: '+15551234567', instructions: 'Say hello.' }
    await awaited('the first look at the engines', 10_000, async () =>
      JSON.stringify((await appliance.request('GET', '/readyz')).body).includes('ollama serve'),
    )
    const refused = await appliance.request('POST', '/api/v1/calls', request)
    expect(refused).toMatchObject({ status: 503, body: { code: 'engines_not_ready' } })
    expect(refused.body.error).toContain('ollama serve')
    const callAt = new Date(Date.now() + 3600_000).toISOString()
    const scheduled = await appliance.request('POST', '/api/v1/calls', { ...request, callAt })
    expect(scheduled).toMatchObject({ status: 201, body: { status: 'scheduled', callAt } })
    expect((await appliance.request('GET', '/readyz')).status).toBe(503)
    expect((await appliance.request('GET', '/healthz')).status).toBe(200)
    expect(phone.dialogs).toEqual([])
    expect(appliance.running).toBe(true)
  })

  it.each([
    ['a truncated encoder', 'onnx/encoder_model.onnx', (bytes: Buffer) => bytes.subarray(0, 5_000)],
    [
      'a decoder for an encoder',
      'onnx/encoder_model.onnx',
      () => read('onnx/decoder_model_merged.onnx'),
    ],
    ['a truncated tokenizer', 'tokenizer.json', (bytes: Buffer) => bytes.subarray(0, 300)],
    ['an empty configuration', 'config.json', () => Buffer.alloc(0)],
  ])('lives with %s in its model directory and says which file', async (_what, file, spoil) => {
    const appliance = await Appliance.create({
      trunk: { port: await freePort() },
      settings: { 'speech.stt.model': 'whisper-base.en' },
    })
    end(() => appliance.remove())
    const directory = join(appliance.dataDir, 'models/whisper-base.en')
    mkdirSync(directory, { recursive: true })
    cpSync(DEMO_MODEL, directory, { recursive: true })
    writeFileSync(join(directory, file), spoil(read(file)))
    await appliance.start()
    let error = ''
    await awaited(
      () => `a refusal that names the file; it was: ${error}`,
      8_000,
      async () => {
        const body = { phoneNumber: '+15551234567', instructions: 'Say hello.' }
        const answer = await appliance.request('POST', '/api/v1/calls', body)
        error = JSON.stringify(answer)
        return answer.status === 503
      },
    )
    expect(error).toContain('engines_not_ready')
    expect(error).toContain(file)
    expect(error).toContain('landline models verify')
    expect((await appliance.request('GET', '/healthz')).status).toBe(200)
    const verified = await appliance.command(['models', 'verify'])
    expect(verified.code).toBe(1)
    expect(`${verified.out}${verified.err}`).toContain(file)
  })
})
