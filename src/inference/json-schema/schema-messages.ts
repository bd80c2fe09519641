/** What the thread that judges schemas is asked, and its answers. */
export type SchemaQuestion =
  | { id: number; schema: object }
  /** `json`: a value as JSON text. */
  | { id: number; schema: object; json: string }

export interface SchemaVerdict {
  id: number
  /** What is wrong, as words that follow "it"; null when nothing is. */
  problem: string | null
}
