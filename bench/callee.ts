/** The main thread's end of the callee's thread. */
import type { CallReport, FromCallee, Step, ToCallee } from './callee-messages.ts'

export interface Callee {
  sipPort: number
  /** What comes here during a call is in its report. */
  controlPort: number
  /** What to do on the next call; resolves when it has hung up. */
  nextCall(steps: readonly Step[]): Promise<CallReport>
  /** Round trips to an echo on another thread, ms. */
  ping(count: number): Promise<number[]>
  stop(): void
}

export async function startCallee(utterances: readonly Int16Array[]): Promise<Callee> {
  const callee = new Worker(new URL('./callee-worker.ts', import.meta.url).href)
  const echo = new Worker(new URL('./echo-worker.ts', import.meta.url).href)
  const echoPort = new Promise<number>((done) => {
    echo.onmessage = ({ data }: MessageEvent<number>) => done(data)
  })
  const post = (message: ToCallee): void => callee.postMessage(message)
  const next = <Type extends FromCallee['type']>(
    type: Type,
  ): Promise<Extract<FromCallee, { type: Type }>> =>
    new Promise((done, fail) => {
      callee.onerror = (event) => fail(new Error(event.message))
      callee.onmessage = ({ data }: MessageEvent<FromCallee>) => {
        if (data.type === 'failed') fail(new Error(`the callee: ${data.reason}`))
        else if (data.type === type) done(data as Extract<FromCallee, { type: Type }>)
      }
    })
  const { sipPort, controlPort } = await next('ready')
  post({ type: 'prepare', utterances: [...utterances] })
  return {
    sipPort,
    controlPort,
    async nextCall(steps) {
      const report = next('report')
      post({ type: 'script', steps })
      return (await report).report
    },
    async ping(count) {
      const pinged = next('pinged')
      post({ type: 'ping', port: await echoPort, count })
      return (await pinged).roundTrips
    },
    stop() {
      callee.terminate()
      echo.terminate()
    },
  }
}
