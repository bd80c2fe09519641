const LETTERS: Readonly<Record<string, string>> = {
  ß: 'ss',
  ø: 'o',
  Ø: 'O',
  æ: 'ae',
  Æ: 'Ae',
  œ: 'oe',
  ł: 'l',
  Ł: 'L',
  đ: 'd',
  ı: 'i',
}

/** One form for each quote and dash; `between` stands where a dash joins two numbers. */
export function withPlainMarks(text: string, between: string): string {
  return text
    .replace(/[‘’ʼ′]/g, "'")
    .replace(/[„“”«»]/g, '"')
    .replace(/\s*[–—―]\s*/g, (dash, at: number) =>
      /\d/.test(text[at - 1] ?? '') && /\d/.test(text[at + dash.length] ?? '')
        ? ` ${between} `
        : ', ',
    )
    .replaceAll('…', '. ')
    .replace(/(?<=\p{L})²/gu, ' squared')
    .normalize('NFKC')
    .replaceAll('⁄', '/')
}

/** Letters of the English alphabet for those that have one like them. */
export function toEnglishLetters(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[ßøØæÆœłŁđı]/g, (letter) => LETTERS[letter] ?? '')
}

/** What is left: letters (those that `english` has, or any), digits and the marks that shape a sentence. */
export function tidy(text: string, o: { english: boolean }): string {
  const other = o.english ? /[^A-Za-z0-9.,!?;:'\s-]/g : /[^\p{L}\p{M}\p{N}.,!?;:¿¡'\s-]/gu
  return text
    .replace(other, ' ')
    .replace(/(?<![\p{L}\p{N}])['-]+(?![\p{L}\p{N}])|(?<![\p{L}\p{N}])-+(?=[\p{L}\p{N}])/gu, ' ')
    .replace(/\s+/g, ' ')
    .replace(/ (?=[.,!?;:])/g, '')
    .replace(/[.,;:]*([!?])[.,!?;:]*/g, '$1')
    .replace(/([.,;:])[.,;:]+/g, '$1')
    .replace(/^[.,!?;:\s]+/, '')
    .trim()
}
