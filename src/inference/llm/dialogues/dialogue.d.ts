/** The text of a dialogue file, by `with { type: 'text' }`. */
declare module '*.dialogue' {
  const text: string
  export default text
}
