declare module '*.bin' {
  const path: string
  export default path
}
declare module '*.onnx' {
  const path: string
  export default path
}
