/** baresip as the human: answers by itself, plays a file as its voice, records what it hears. */
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort, type Peer, scratchDirectory, startPeer, untilBound } from './peers.ts'
import { readSpeech } from './speech.ts'

export interface Baresip {
  port: number
  output(): string
  /** What it heard, at 8 kHz; whole once it has stopped. */
  heard(): Int16Array
  /** Ends it; its recordings stay until `remove`. */
  stop(): Promise<void>
  remove(): void
}

/** Where Debian, and others, have its modules. */
const MODULES = ['/usr/lib/baresip/modules', '/usr/local/lib/baresip/modules']

/** `number` is whom it is; `voice` its microphone: samples at 8 kHz. */
export async function startBaresip(o: { number: string; voice: Int16Array }): Promise<Baresip> {
  const port = await freePairOfPorts()
  const rtp = Math.min(await freePort(), 65_500) & ~1
  const { path, remove } = scratchDirectory()
  writeFileSync(join(path, 'voice.wav'), waveFile(o.voice))
  writeFileSync(
    join(path, 'accounts'),
    `<sip:${o.number}@127.0.0.1:${port}>;regint=0;answermode=auto\n`,
  )
  writeFileSync(join(path, 'config'), configuration({ path, port, rtp }))
  const peer: Peer = startPeer('baresip', ['-f', path], path)
  await untilBound(port).catch(async (error: Error) => {
    await peer.stop()
    remove()
    throw new Error(`${error.message}; baresip said:\n${peer.output()}`)
  })
  return {
    port,
    output: peer.output,
    heard() {
      const file = readdirSync(path).find((name) => /^dump-.*-dec\.wav$/.test(name))
      if (file === undefined) throw new Error(`baresip recorded nothing:\n${peer.output()}`)
      return readSpeech(join(path, file))
    },
    stop: peer.stop,
    remove,
  }
}

/**
 * A port that baresip can have for UDP and TCP, and the next one, which it wants for TLS. It lies below the ports that
 * the system gives to connections: one that was closed a moment ago still keeps its port from being bound.
 */
async function freePairOfPorts(): Promise<number> {
  for (let tries = 0; tries < 50; tries++) {
    const port = 12_000 + 2 * Math.floor(Math.random() * 9_000)
    if ((await isFreeForUdp(port)) && isFreeForTcp(port) && isFreeForTcp(port + 1)) return port
  }
  throw new Error('no two ports are free for baresip')
}

function isFreeForUdp(port: number): Promise<boolean> {
  return Bun.udpSocket({ hostname: '127.0.0.1', port }).then(
    (socket) => {
      socket.close()
      return true
    },
    () => false,
  )
}

function isFreeForTcp(port: number): boolean {
  try {
    Bun.listen({ hostname: '127.0.0.1', port, socket: { data() {} } }).stop()
    return true
  } catch {
    return false
  }
}

function configuration(o: { path: string; port: number; rtp: number }): string {
  const modules = MODULES.find((folder) => Bun.file(join(folder, 'g711.so')).size > 0)
  return `sip_listen 127.0.0.1:${o.port}
net_interface 127.0.0.1
rtp_ports ${o.rtp}-${o.rtp + 20}
module_path ${modules ?? MODULES[0]}
module g711.so
module aufile.so
module sndfile.so
module_tmp uuid.so
module_tmp account.so
module_app menu.so
audio_source aufile,${join(o.path, 'voice.wav')}
audio_player aufile,${join(o.path, 'speaker.wav')}
snd_path ${o.path}
`
}

/** 16-bit mono at 8 kHz. */
function waveFile(samples: Int16Array): Uint8Array {
  const file = Buffer.alloc(44 + samples.length * 2)
  file.write('RIFF', 0, 'latin1')
  file.writeUInt32LE(36 + samples.length * 2, 4)
  file.write('WAVEfmt ', 8, 'latin1')
  file.writeUInt32LE(16, 16)
  file.writeUInt16LE(1, 20)
  file.writeUInt16LE(1, 22)
  file.writeUInt32LE(8_000, 24)
  file.writeUInt32LE(16_000, 28)
  file.writeUInt16LE(2, 32)
  file.writeUInt16LE(16, 34)
  file.write('data', 36, 'latin1')
  file.writeUInt32LE(samples.length * 2, 40)
  for (const [i, sample] of samples.entries()) file.writeInt16LE(sample, 44 + 2 * i)
  return file
}
