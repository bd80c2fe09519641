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
const MONEY: Readonly<Record<string, { unit: string; units: string; part: string }>> = {
  $: { unit: 'dollar', units: 'dollars', part: 'cents' },
  '€': { unit: 'euro', units: 'euros', part: 'cents' },
  '£': { unit: 'pound', units: 'pounds', part: 'pence' },
}
const DIGITS = 'zero one two three four five six seven eight nine'.split(' ')
const MONTHS =
  'January February March April May June July August September October November December'.split(' ')

/**
 * Text as an English voice of letters and digits can say it: Markdown and emoji gone, money, times, dates, phone
 * numbers and addresses in words. Empty when nothing can be said. Never throws.
 */
export function toSpeakable(text: string): string {
  let out = toPlainLetters(withoutMarkdown(text))
  for (const rule of RULES) out = rule(out)
  return /[a-z0-9]/i.test(out) ? out : ''
}

function withoutMarkdown(text: string): string {
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

function toPlainLetters(text: string): string {
  return text
    .replace(/[‘’ʼ′]/g, "'")
    .replace(/\s*[–—―]\s*/g, (dash, at: number) =>
      /\d/.test(text[at - 1] ?? '') && /\d/.test(text[at + dash.length] ?? '') ? ' to ' : ', ',
    )
    .replaceAll('…', '. ')
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[ßøØæÆœłŁđı]/g, (letter) => LETTERS[letter] ?? '')
}

const RULES: readonly ((text: string) => string)[] = [
  addresses,
  money,
  dates,
  phoneNumbers,
  times,
  symbols,
  punctuation,
]

/** `joe.smith@example.com` → joe dot smith at example dot com; a URL without its scheme and path. */
function addresses(text: string): string {
  const spell = (part: string): string =>
    part
      .replaceAll('.', ' dot ')
      .replaceAll('_', ' underscore ')
      .replaceAll('-', ' dash ')
      .replaceAll('+', ' plus ')
  return text
    .replace(/https?:\/\/([\w.-]+\w)(?::\d+)?(?:\/[^\s]*[\w/])?/gi, (_, host: string) =>
      spell(host),
    )
    .replace(
      /([\w.+-]+)@([\w-]+(?:\.[\w-]+)+)/g,
      (_, user: string, host: string) => `${spell(user)} at ${spell(host)}`,
    )
}

function money(text: string): string {
  return text.replace(
    /([$€£])\s?(\d[\d,]*)(?:\.(\d+))?(\s(?:thousand|million|billion))?/g,
    (_, sign: string, whole: string, part = '', scale = '') => {
      const amount = whole.replace(/,/g, '')
      const words = MONEY[sign] ?? { unit: '', units: '', part: '' }
      const cents = Number(part)
      if (scale || (part && part.length !== 2))
        return `${amount}${part && `.${part}`}${scale} ${words.units}`
      if (Number(amount) === 0 && cents > 0) return `${cents} ${words.part}`
      const main = `${amount} ${Number(amount) === 1 ? words.unit : words.units}`
      // A comma that ended the amount ends the clause.
      const rest = whole.endsWith(',') ? ',' : ''
      return `${main}${cents > 0 ? ` and ${cents} ${words.part}` : ''}${rest}`
    },
  )
}

/** `2026-03-20` → March 20, 2026. */
function dates(text: string): string {
  return text.replace(/\b(\d{4})-(\d\d)-(\d\d)\b/g, (date, year: string, month: string, day) => {
    const name = MONTHS[Number(month) - 1]
    return name ? `${name} ${Number(day)}, ${year}` : date
  })
}

/** Telephone numbers and long numbers digit by digit, with a pause between groups. */
function phoneNumbers(text: string): string {
  return text.replace(
    /(?<![\w.,])(?:\+\d[\d\s().-]{5,18}\d|(?:1[-. ])?(?:\(\d{3}\) ?|\d{3}[-. ])\d{3}[-. ]\d{4}|\d{3}-\d{4}|\d{7,})(?![\w]|[.,]\d)/g,
    (number) => {
      const groups = number.match(/\d+/g) ?? []
      const parts = groups.length > 1 ? groups : toGroups(groups[0] ?? '')
      const spoken = parts.map((group) => [...group].map((d) => DIGITS[Number(d)]).join(' '))
      return `${number.startsWith('+') ? 'plus ' : ''}${spoken.join(', ')}`
    },
  )
}

/** Threes, the last group of up to four; a lone leading digit is the country's. */
function toGroups(digits: string): string[] {
  const groups = [digits.slice(-4)]
  for (let end = digits.length - 4; end > 0; end -= 3)
    groups.unshift(digits.slice(Math.max(0, end - 3), end))
  return groups
}

/** `7pm`, `7:30 p.m.`, `19:05` → 7 p m, 7 30 p m, 19 oh 5. */
function times(text: string): string {
  return text.replace(
    /\b(\d{1,2})(?::([0-5]\d))?(?!\d)(?:\s?([ap])(?:\.\s?m\b\.?|m\b\.?))?/gi,
    (time, hour: string, minutes: string | undefined, half: string | undefined, at: number) => {
      if (Number(hour) > 24 || (minutes === undefined && half === undefined)) return time
      const exact = minutes === undefined || minutes === '00'
      const past = exact ? '' : ` ${minutes.startsWith('0') ? `oh ${minutes[1]}` : minutes}`
      if (half === undefined) return `${hour}${exact ? " o'clock" : past}`
      // The period of `p.m.` also ends a sentence, where one ends here.
      const after = text.slice(at + time.length)
      const stop = time.endsWith('.') && /^\s*(?:$|[A-Z])/.test(after) ? '.' : ''
      return `${hour}${past} ${half.toLowerCase()} m${stop}`
    },
  )
}

function symbols(text: string): string {
  return text
    .replace(/(\d)\s?%/g, '$1 percent')
    .replace(/°\s?([CF])\b/g, (_, scale) =>
      scale === 'C' ? ' degrees Celsius' : ' degrees Fahrenheit',
    )
    .replaceAll('°', ' degrees')
    .replace(/#\s?(?=\d)/g, 'number ')
    .replace(/\s*&\s*/g, ' and ')
    .replace(/\s*@\s*/g, ' at ')
    .replace(/\+\s?(?=\d)|(?<=\w)\s\+\s(?=\w)/g, ' plus ')
    .replace(/(?<=\w)\s?=\s?(?=\w)/g, ' equals ')
}

/** What is left: letters, digits and the marks that shape a sentence. */
function punctuation(text: string): string {
  return text
    .replace(/[^A-Za-z0-9.,!?;:'\s-]/g, ' ')
    .replace(/(?<!\w)['-]+(?!\w)|(?<!\w)-+(?=\w)/g, ' ')
    .replace(/\s+/g, ' ')
    .replace(/ (?=[.,!?;:])/g, '')
    .replace(/[.,;:]*([!?])[.,!?;:]*/g, '$1')
    .replace(/([.,;:])[.,;:]+/g, '$1')
    .replace(/^[.,!?;:\s]+/, '')
    .trim()
}
