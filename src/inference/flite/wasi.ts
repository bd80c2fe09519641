import { ProcessExit, WasiProcess } from './wasi-process.ts'

/** What a finished program left behind. */
export interface WasiResult {
  exitCode: number
  stdout: string
  stderr: string
  /** Files it wrote, by their path below `/`. */
  files: Map<string, Uint8Array>
}

/**
 * Runs a WASI command to its end, in memory: `args[0]` is its name, `/` an empty directory it may write to.
 * Nothing of the machine is reachable from it. Throws when the program traps.
 */
export function runWasi(module: WebAssembly.Module, args: readonly string[]): WasiResult {
  const process = new WasiProcess(args)
  const instance = new WebAssembly.Instance(module, { wasi_snapshot_preview1: process.imports })
  const { memory, _start: start } = instance.exports
  if (!(memory instanceof WebAssembly.Memory) || typeof start !== 'function')
    throw new Error('running a WASI program: it exports no memory or no _start')
  process.memory = memory
  let exitCode = 0
  try {
    start()
  } catch (error) {
    if (!(error instanceof ProcessExit)) throw error
    exitCode = error.exitCode
  }
  const text = (fd: number): string => new TextDecoder().decode(process.streams[fd]?.bytes)
  const files = new Map([...process.files].map(([path, file]) => [path, file.bytes]))
  return { exitCode, stdout: text(1), stderr: text(2), files }
}
