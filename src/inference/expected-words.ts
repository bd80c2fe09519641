import type { Recogniser } from '../conversation/ports.ts'

/** The same recogniser, told with each request which words are to be expected; a request's own words come first. */
export function expecting<T extends Recogniser>(recogniser: T, words: string): T {
  return {
    ...recogniser,
    recognise: (o: Parameters<Recogniser['recognise']>[0]) =>
      recogniser.recognise({ prompt: words, ...o }),
  }
}
