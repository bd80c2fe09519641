/** Asks `@huggingface/transformers`, under Node, what it makes of a model: what ours is compared with. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'

export interface TransformersJob {
  dir: string
  dtype: 'fp32' | 'fp16' | 'q8'
  sounds: {
    /** 32-bit floats at 16 kHz. */
    file: string
    language?: string
    mostTokens: number
    prompt?: string
    /** Tokens of the prompt that are kept, its last. */
    most?: number
    /** Where its features go, as 32-bit floats. */
    featuresTo?: string
  }[]
  texts?: string[]
  tokens?: number[][]
}

export interface TransformersAnswer {
  /** Tokens from the prompt to the end, both included. */
  heard: { ids: number[]; text: string; ms: number }[]
  encoded: number[][]
  decoded: string[]
}

/** The Node of this machine. Bun puts itself on the PATH under that name, in directories `bun-node-…`. */
function nodePath(): string {
  const dirs = (process.env.PATH ?? '').split(delimiter).filter((dir) => !/\/bun-node-/.test(dir))
  const found = dirs.map((dir) => join(dir, 'node')).find((path) => existsSync(path))
  if (found === undefined) throw new Error('these tests need Node on the PATH')
  return found
}

/** Runs jobs in one process; throws with what it wrote when that fails. `dir` is for its files. */
export async function askTransformers(
  dir: string,
  jobs: readonly TransformersJob[],
): Promise<TransformersAnswer[]> {
  const path = join(dir, 'jobs.json')
  writeFileSync(path, JSON.stringify(jobs))
  const child = Bun.spawn([nodePath(), join(import.meta.dirname, 'transformers-node.mjs'), path], {
    // Its onnxruntime reports to Microsoft otherwise.
    env: { PATH: process.env.PATH ?? '', HOME: dir, ORT_DISABLE_TELEMETRY: '1' },
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  if (code !== 0) throw new Error(`transformers under Node ended with ${code}: ${out}${err}`)
  return JSON.parse(readFileSync(`${path}.answers`, 'utf8')) as TransformersAnswer[]
}
