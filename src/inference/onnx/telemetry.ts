import { dlopen } from 'bun:ffi'

/**
 * onnxruntime's own Linux builds report the process, its models and their run times to Microsoft, keep a device id
 * under ~/.cache and logs under /tmp, unless this variable is set in the environment of the C library when they are
 * loaded. `process.env` does not reach that environment, so it is set with setenv(3).
 * Throws when that does not work: then the library must not be loaded.
 */
export function forbidTelemetry(): void {
  const libc = dlopen('libc.so.6', {
    setenv: { args: ['ptr', 'ptr', 'i32'], returns: 'i32' },
  })
  const name = Buffer.from('ORT_DISABLE_TELEMETRY\0')
  const code = libc.symbols.setenv(name, Buffer.from('1\0'), 1)
  libc.close()
  if (code !== 0) throw new Error("onnxruntime's reports to Microsoft could not be switched off")
}
