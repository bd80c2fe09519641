/** From `exec` to the first HTTP 200 of the compiled server, and the memory it idles with. */
import { join } from 'node:path'
import { buildHello, inDirectory, LANDLINE, nextPort, startProgram } from './program.ts'
import { type Figure, figure } from './report.ts'
import { runRounds } from './rounds.ts'

const ROUNDS = 25
const MEMORY_ROUNDS = 3
const CONTROL = 'compiled Bun.serve, nothing else'
/** So long after the first answer everything that a start sets going has come to rest. */
const REST_MS = 4_000

export async function benchStart(): Promise<Figure[]> {
  const hello = await buildHello()
  return inDirectory(async (directory) => [
    ...(await timeOf(hello, directory)),
    await memoryOf(hello, directory),
  ])
}

async function timeOf(hello: string, directory: string): Promise<Figure[]> {
  let fresh = 0
  const existing = join(directory, 'existing')
  await firstAnswer(serve(existing, directory))
  const { samples, discarded } = await runRounds({
    count: ROUNDS,
    control: 'hello',
    parts: [
      async () => {
        const { ms, cpu } = await firstAnswer(startHello(hello, directory))
        return { hello: ms, helloCpu: cpu }
      },
      async () => {
        const { ms, cpu } = await firstAnswer(serve(existing, directory))
        return { existing: ms, existingCpu: cpu }
      },
      async () => {
        const { ms } = await firstAnswer(serve(join(directory, `fresh-${fresh++}`), directory))
        return { fresh: ms }
      },
    ],
  })
  const common = { unit: 'ms', control: { what: CONTROL, samples: samples.hello }, discarded }
  return [
    figure({
      metric: 'start to first HTTP 200, data directory there',
      ours: samples.existing,
      target: { of: 'p50', atMost: 60 },
      ...common,
    }),
    figure({ metric: 'the same, data directory made', ours: samples.fresh, ...common }),
    figure({
      metric: 'CPU of all threads until then, data directory there',
      ours: samples.existingCpu,
      ...common,
      control: { what: CONTROL, samples: samples.helloCpu },
    }),
  ]
}

async function memoryOf(hello: string, directory: string): Promise<Figure> {
  const { samples, discarded } = await runRounds({
    count: MEMORY_ROUNDS,
    control: 'hello',
    parts: [
      async () => ({ hello: await restingMemory(startHello(hello, directory)) }),
      async () => ({
        landline: await restingMemory(serve(join(directory, 'existing'), directory)),
      }),
    ],
  })
  return figure({
    metric: 'idle RSS, no engine loaded',
    unit: 'MB',
    ours: samples.landline,
    control: { what: CONTROL, samples: samples.hello },
    target: { of: 'p50', atMost: 120 },
    discarded,
  })
}

/** The default configuration, on ports that nobody else has. */
function serve(dataDir: string, directory: string): ReturnType<typeof startProgram> {
  const port = nextPort()
  const argv = [LANDLINE, 'serve', '--port', String(port), '--data-dir', dataDir]
  return startProgram(argv, { port, directory, env: { LANDLINE_SIP_PORT: '0' } })
}

function startHello(hello: string, directory: string): ReturnType<typeof startProgram> {
  const port = nextPort()
  return startProgram([hello, String(port)], { port, directory })
}

async function firstAnswer(
  starting: ReturnType<typeof startProgram>,
): Promise<{ ms: number[]; cpu: number[] }> {
  const program = await starting
  await program.stop()
  return { ms: [program.firstAnswerMs], cpu: [program.cpuMs] }
}

async function restingMemory(starting: ReturnType<typeof startProgram>): Promise<number[]> {
  const program = await starting
  await Bun.sleep(REST_MS)
  const rss = program.rssMb()
  await program.stop()
  return [rss]
}
