/** How a language calls the marks in an address, and what joins the ends of a range. */
export interface Words {
  dot: string
  at: string
  underscore: string
  dash: string
  plus: string
  to: string
}

export const ENGLISH_WORDS: Words = {
  dot: 'dot',
  at: 'at',
  underscore: 'underscore',
  dash: 'dash',
  plus: 'plus',
  to: 'to',
}

/** `joe.smith@example.com` → joe dot smith at example dot com; a URL without its scheme and path. */
export function addresses(text: string, words: Words): string {
  const spell = (part: string): string =>
    part
      .replaceAll('.', ` ${words.dot} `)
      .replaceAll('_', ` ${words.underscore} `)
      .replaceAll('-', ` ${words.dash} `)
      .replaceAll('+', ` ${words.plus} `)
  return text
    .replace(/https?:\/\/([\w.-]+\w)(?::\d+)?(?:\/[^\s]*[\w/])?/gi, (_, host: string) =>
      spell(host),
    )
    .replace(
      /(?:mailto:)?([\w.+-]+)@([\w-]+(?:\.[\w-]+)+)/gi,
      (_, user: string, host: string) => `${spell(user)} ${words.at} ${spell(host)}`,
    )
    .replace(
      /(?<![\w.])(?:www\.)?[a-z][a-z0-9-]*(?:\.[a-z0-9-]+)*\.(?:com|org|net|edu|gov|io|co\.uk|de|fr|es|it|nl|eu)(?:\/[^\s]*[\w/])?(?![\w-])/gi,
      (address) => spell(address.replace(/\/.*$/, '')),
    )
}
