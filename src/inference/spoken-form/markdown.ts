/** Text without what only a reader sees: Markdown's marks; a line becomes a sentence. */
export function withoutMarkdown(text: string): string {
  return (
    text
      .replace(/```\w*|`/g, '')
      .replace(/!?\[([^\]\n]*)\]\([^)\n]*\)/g, '$1')
      .replace(/^[ \t]*(?:#{1,6}|[-*+•]|>)[ \t]+/gm, '')
      .replace(/^[ \t]*(\d{1,2})[.)][ \t]+/gm, '$1, ')
      .replace(/\*\*|__|~~|(?<!\w)[*_](?=\w)|(?<=[\w.,!?])[*_](?!\w)/g, '')
      // A line is a sentence, so that a list is not read in one breath.
      .replace(/([^\s.,;:!?])[ \t]*\n\s*/g, '$1. ')
  )
}
