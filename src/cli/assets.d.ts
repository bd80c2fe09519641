/** Embedded with `type: 'file'`: the import is the file's path. */
declare module '*.txt' {
  const path: string
  export default path
}
