/**
 * The two native files of onnxruntime-node 1.30.0 that Landline carries, by processor: their SHA-256 as published.
 * `scripts/native.ts` puts them beside this file, the library compressed; `unpack.ts` takes them out again.
 */
export const NATIVE_FILES = {
  x64: {
    binding: 'ccdc60b981d93a490cf9513d3f583547252b6e285b72988a96a494f2f006c7b8',
    library: 'ffb75a925ba05e47b235bb66e3e3911714a80b328a9c9425539feb204aa32a23',
  },
  arm64: {
    binding: 'afec78dc11d38dc81605b068cefe1fc73ffe77ca240c15468aa40786150beac8',
    library: '1f549d46250b005580b597f4164984aaf75b3bcb9f3aeb07c7f8a8fe60b23c76',
  },
} as const

export type NativeArch = keyof typeof NATIVE_FILES

/** Names on disk. The binding looks for the library beside itself (RUNPATH `$ORIGIN`), under this very name. */
export const BINDING_NAME = 'onnxruntime_binding.node'
export const LIBRARY_NAME = 'libonnxruntime.so.1'

/** Whether onnxruntime-node has native files for this processor. */
export function isNativeArch(arch: string): arch is NativeArch {
  return Object.hasOwn(NATIVE_FILES, arch)
}
