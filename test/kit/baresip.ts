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

export interface BaresipOptions {
  /** Whom it is. */
  number: string
  /** Its microphone: samples at 8 kHz, or at the codec's own rate: where it has to change it, little over 2 kHz is left. */
  voice: Int16Array
  voiceHz?: number
  /** More parameters of its account, e.g. `;mediaenc=srtp-mand`. */
  account?: string
  /** Modules beside G.711. */
  modules?: readonly string[]
  /** More lines of its configuration. */
  config?: readonly string[]
}

export async function startBaresip(o: BaresipOptions): Promise<Baresip> {
  const port = await freePairOfPorts()
  const rtp = Math.min(await freePort(), 65_500) & ~1
  const { path, remove } = scratchDirectory()
  writeFileSync(join(path, 'voice.wav'), waveFile(o.voice, o.voiceHz ?? 8_000))
  writeFileSync(
    join(path, 'accounts'),
    `<sip:${o.number}@127.0.0.1:${port}>;regint=0;answermode=auto${o.account ?? ''}\n`,
  )
  writeFileSync(join(path, 'config'), configuration({ ...o, path, port, rtp }))
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

function configuration(o: BaresipOptions & { path: string; port: number; rtp: number }): string {
  const modules = MODULES.find((folder) => Bun.file(join(folder, 'g711.so')).size > 0)
  return `sip_listen 127.0.0.1:${o.port}
net_interface 127.0.0.1
rtp_ports ${o.rtp}-${o.rtp + 20}
module_path ${modules ?? MODULES[0]}
${(o.modules ?? []).map((name) => `module ${name}\n`).join('')}module g711.so
module aufile.so
module sndfile.so
module_tmp uuid.so
module_tmp account.so
module_app menu.so
audio_source aufile,${join(o.path, 'voice.wav')}
audio_player aufile,${join(o.path, 'speaker.wav')}
snd_path ${o.path}
ausrc_srate ${o.voiceHz ?? 8_000}
ausrc_channels 1
${(o.config ?? []).join('\n')}
`
}

/** 16-bit mono. */
function waveFile(samples: Int16Array, rateHz: number): Uint8Array {
  const file = Buffer.alloc(44 + samples.length * 2)
  file.write('RIFF', 0, 'latin1')
  file.writeUInt32LE(36 + samples.length * 2, 4)
  file.write('WAVEfmt ', 8, 'latin1')
  file.writeUInt32LE(16, 16)
  file.writeUInt16LE(1, 20)
  file.writeUInt16LE(1, 22)
  file.writeUInt32LE(rateHz, 24)
  file.writeUInt32LE(2 * rateHz, 28)
  file.writeUInt16LE(2, 32)
  file.writeUInt16LE(16, 34)
  file.write('data', 36, 'latin1')
  file.writeUInt32LE(samples.length * 2, 40)
  for (const [i, sample] of samples.entries()) file.writeInt16LE(sample, 44 + 2 * i)
  return file
}
