/** The text of a scene file, by `with { type: 'text' }`. */
declare module '*.scene' {
  const text: string
  export default text
}
