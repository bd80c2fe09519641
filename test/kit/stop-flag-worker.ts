/** Stands for the speech detector: raises the flag that pauses our sound in the ring it is given and tells when. */
import { parentPort } from 'node:worker_threads'
import { Ring } from '../../src/core/ring.ts'

parentPort?.on('message', (buffer: SharedArrayBuffer) => {
  new Ring(buffer).pauseIfArmed(0, 8000)
  parentPort?.postMessage(performance.timeOrigin + performance.now())
})
