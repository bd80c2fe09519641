const LONGEST = 200

/** Numbers and the user part of an address: whose they are is nobody's business who reads why a call failed. */
const PERSONAL: readonly RegExp[] = [
  /\+\d[\d ().-]{5,}\d/g,
  /\(?\b\d{3}\)?[ .-]\d{3}[ .-]\d{4}\b/g,
  /\d{7,}/g,
  /[^\s@<>:"']+(?=@)/g,
]

/**
 * The reason of a failure as it may be shown, whoever worded it: numbers and names of addresses masked, one line of
 * printable Latin-1, at most 200 characters. Null when nothing is left.
 */
export function publicReason(reason: string | null): string | null {
  if (reason === null) return null
  let text = reason.slice(0, 4 * LONGEST)
  for (const pattern of PERSONAL) text = text.replace(pattern, '***')
  // Iterated by code points: what Latin-1 does not have is one mark, however many units it takes.
  text = Array.from(text, (char) => (isPrintable(char) ? char : isSpace(char) ? ' ' : '?')).join('')
  text = text.replace(/ {2,}/g, ' ').trim().slice(0, LONGEST).trimEnd()
  return text === '' ? null : text
}

function isPrintable(char: string): boolean {
  const code = char.codePointAt(0) ?? 0
  return (code >= 0x20 && code < 0x7f) || (code >= 0xa0 && code <= 0xff)
}

function isSpace(char: string): boolean {
  return (char.codePointAt(0) ?? 0) < 0xa0 || /\s/.test(char)
}
