/** What English speakers make of what is written. Each rule takes text and the language's tag, and gives text. */

import { fractions, measures, ordinals } from './english-measures.ts'
import { abbreviations, codes } from './english-short-forms.ts'

const MONEY: Readonly<Record<string, { unit: string; units: string; part: string }>> = {
  $: { unit: 'dollar', units: 'dollars', part: 'cents' },
  '€': { unit: 'euro', units: 'euros', part: 'cents' },
  '£': { unit: 'pound', units: 'pounds', part: 'pence' },
  '¥': { unit: 'yen', units: 'yen', part: 'sen' },
  '₹': { unit: 'rupee', units: 'rupees', part: 'paise' },
}
const SCALES: Readonly<Record<string, string>> = {
  k: 'thousand',
  m: 'million',
  bn: 'billion',
  b: 'billion',
}
const SIGNS: Readonly<Record<string, string>> = { USD: '$', EUR: '€', GBP: '£', JPY: '¥', INR: '₹' }
const DIGITS = 'zero one two three four five six seven eight nine'.split(' ')
const MONTHS =
  'January February March April May June July August September October November December'.split(' ')

/** `20 USD`, `EUR 20` and `20 €` as `$20` and `€20`. */
function moneySigns(text: string): string {
  return (
    text
      .replace(/\b(USD|EUR|GBP|JPY|INR)\s?(?=\d)/g, (_, code: string) => SIGNS[code] ?? '')
      .replace(
        /(\d[\d,]*(?:\.\d+)?)\s?(USD|EUR|GBP|JPY|INR)\b/g,
        (_, amount, code: string) => `${SIGNS[code]}${amount}`,
      )
      .replace(/(?<![\d.,$€£¥₹])(\d[\d,]*(?:\.\d+)?)\s?([€£¥₹])(?!\d)/g, '$2$1')
      // The ends of a range have one sign.
      .replace(/([$€£¥₹])(\d[\d,.]*\d|\d)\s?-\s?\1?(\d)/g, '$1$2 to $1$3')
  )
}

function money(text: string): string {
  return text.replace(
    /([$€£¥₹])\s?(\d[\d,]*)(?:\.(\d+))?(\s(?:thousand|million|billion)|(?:k|m|bn|b)\b)?/gi,
    (_, sign: string, whole: string, part = '', scale = '') => {
      const amount = whole.replace(/,/g, '')
      const words = MONEY[sign] ?? { unit: '', units: '', part: '' }
      const cents = Number(part)
      const times = SCALES[scale.toLowerCase()] ? ` ${SCALES[scale.toLowerCase()]}` : scale
      if (times || (part && part.length !== 2))
        return `${amount}${part && `.${part}`}${times} ${words.units}`
      if (Number(amount) === 0 && cents > 0) return `${cents} ${words.part}`
      const main = `${amount} ${Number(amount) === 1 ? words.unit : words.units}`
      // A comma that ended the amount ends the clause.
      const rest = whole.endsWith(',') ? ',' : ''
      return `${main}${cents > 0 ? ` and ${cents} ${words.part}` : ''}${rest}`
    },
  )
}

/** `2026-03-20`, `3/20/2026` (in Britain and elsewhere `20/3/2026`) → March 20, 2026. */
function dates(text: string, language: string): string {
  const monthFirst = /^en(?:-us)?$/i.test(language)
  const spoken = (year: string, month: string, day: string): string | undefined => {
    const name = MONTHS[Number(month) - 1]
    return name && Number(day) >= 1 && Number(day) <= 31
      ? `${name} ${Number(day)}, ${year.length === 2 ? `20${year}` : year}`
      : undefined
  }
  return text
    .replace(
      /\b(\d{4})-(\d\d)-(\d\d)\b/g,
      (date, year: string, month: string, day: string) => spoken(year, month, day) ?? date,
    )
    .replace(
      /(?<![\d/])(\d{1,2})\/(\d{1,2})\/(\d{4}|\d\d)(?![\d/])/g,
      (date, a, b, year: string) => {
        const [month, day] = Number(a) > 12 || (!monthFirst && Number(b) <= 12) ? [b, a] : [a, b]
        return spoken(year, month, day) ?? date
      },
    )
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
export function toGroups(digits: string): string[] {
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
    .replace(/(?<![\w.])~\s?(?=\d)/g, 'about ')
    .replace(/(?<![\w.)])[-−](?=\d)/g, 'minus ')
    .replace(/(?<![\w-])(\d{1,4})-(\d{1,4})(?![\w-])/g, '$1 to $2')
    .replace(/\+\s?(?=\d)|(?<=\w)\s\+\s(?=\w)/g, ' plus ')
    .replace(/(?<=\w)\s?=\s?(?=\w)/g, ' equals ')
}

export const ENGLISH_RULES: readonly ((text: string, language: string) => string)[] = [
  moneySigns,
  money,
  dates,
  phoneNumbers,
  abbreviations,
  times,
  fractions,
  ordinals,
  measures,
  codes,
  symbols,
]
