/** The common things in languages other than English: what a voice would otherwise read sign by sign. */
import { primaryLanguage } from '../../calls/voice-choice.ts'
import type { Words } from './addresses.ts'
import { toGroups } from './english.ts'

interface OtherWords extends Words {
  percent: string
  and: string
  /** By sign: what the amount is followed by. */
  money: Readonly<Record<string, string>>
  /** What stands between an amount and its hundredths, and between hour and minutes. */
  hundredths: string
  hour: string
}

const words = (
  marks: [dot: string, at: string, underscore: string, dash: string, plus: string, to: string],
  rest: Omit<OtherWords, keyof Words>,
): OtherWords => {
  const [dot, at, underscore, dash, plus, to] = marks
  return { dot, at, underscore, dash, plus, to, ...rest }
}

/** By ISO 639-1 code. */
export const WORDS: Readonly<Record<string, OtherWords>> = {
  de: words(['Punkt', 'ät', 'Unterstrich', 'Bindestrich', 'plus', 'bis'], {
    percent: 'Prozent',
    and: 'und',
    money: { $: 'Dollar', '€': 'Euro', '£': 'Pfund' },
    hundredths: '',
    hour: 'Uhr',
  }),
  fr: words(['point', 'arobase', 'tiret bas', 'tiret', 'plus', 'à'], {
    percent: 'pour cent',
    and: 'et',
    money: { $: 'dollars', '€': 'euros', '£': 'livres' },
    hundredths: '',
    hour: 'heures',
  }),
  es: words(['punto', 'arroba', 'guion bajo', 'guion', 'más', 'a'], {
    percent: 'por ciento',
    and: 'y',
    money: { $: 'dólares', '€': 'euros', '£': 'libras' },
    hundredths: 'con',
    hour: 'y',
  }),
  it: words(['punto', 'chiocciola', 'trattino basso', 'trattino', 'più', 'a'], {
    percent: 'per cento',
    and: 'e',
    money: { $: 'dollari', '€': 'euro', '£': 'sterline' },
    hundredths: 'e',
    hour: 'e',
  }),
  pt: words(['ponto', 'arroba', 'sublinhado', 'hífen', 'mais', 'a'], {
    percent: 'por cento',
    and: 'e',
    money: { $: 'dólares', '€': 'euros', '£': 'libras' },
    hundredths: 'e',
    hour: 'e',
  }),
  nl: words(['punt', 'apenstaartje', 'laag streepje', 'streepje', 'plus', 'tot'], {
    percent: 'procent',
    and: 'en',
    money: { $: 'dollar', '€': 'euro', '£': 'pond' },
    hundredths: '',
    hour: 'uur',
  }),
}

/** The rules of a language; for one without words here, dates and telephone numbers only. */
export function otherRules(language: string): readonly ((text: string) => string)[] {
  const known = WORDS[primaryLanguage(language)]
  const general = [(text: string) => dates(text, language), phoneNumbers]
  if (!known) return general
  return [
    (text) => money(text, known),
    ...general,
    (text) => times(text, known),
    (text) =>
      text
        .replace(/(\d)\s?%/g, `$1 ${known.percent}`)
        .replace(/\s*&\s*/g, ` ${known.and} `)
        .replace(/(?<![\w-])(\d{1,4})-(\d{1,4})(?![\w-])/g, `$1 ${known.to} $2`),
  ]
}

/** `2026-03-20` as the language writes it out. */
function dates(text: string, language: string): string {
  return text.replace(/\b(\d{4})-(\d\d)-(\d\d)\b/g, (written) => {
    const at = Date.parse(`${written}T00:00:00Z`)
    if (Number.isNaN(at)) return written
    try {
      const format = new Intl.DateTimeFormat(language, { dateStyle: 'long', timeZone: 'UTC' })
      return format.format(at)
    } catch {
      return written
    }
  })
}

/** Telephone numbers and long numbers, digit by digit, with a pause between groups. */
function phoneNumbers(text: string): string {
  return text.replace(
    /(?<![\w.,])(\+?)(\d[\d\s()/-]{5,18}\d|\d{7,})(?![\w]|[.,]\d)/g,
    (written, plus: string, number: string) => {
      const groups = number.match(/\d+/g) ?? []
      if (groups.join('').length < 7) return written
      const parts = groups.length > 1 ? groups : toGroups(groups[0] ?? '')
      return `${plus}${parts.map((group) => [...group].join(' ')).join(', ')}`
    },
  )
}

/** `18,50 €` and `€18.50` → 18 Euro 50. */
function money(text: string, o: OtherWords): string {
  const spoken = (sign: string, whole: string, part: string | undefined): string => {
    const amount = `${whole} ${o.money[sign] ?? ''}`
    if (part === undefined || Number(part) === 0) return amount
    return [amount, o.hundredths, Number(part)].filter((word) => word !== '').join(' ')
  }
  return text
    .replace(/([$€£])\s?(\d+)(?:[.,](\d\d))?(?![\d.,]\d)/g, (_, sign, whole, part) =>
      spoken(sign, whole, part),
    )
    .replace(/(?<![\d.,])(\d+)(?:[.,](\d\d))?\s?([$€£])/g, (_, whole, part, sign) =>
      spoken(sign, whole, part),
    )
}

/** `19:30` → 19 Uhr 30. */
function times(text: string, o: OtherWords): string {
  return text.replace(/\b([01]?\d|2[0-4]):([0-5]\d)\b/g, (_, hour: string, minutes: string) => {
    const exact = Number(minutes) === 0
    // Where "and" joins them, the hour alone says it all.
    if (exact) return o.hour === o.and ? hour : `${hour} ${o.hour}`
    return `${hour} ${o.hour} ${Number(minutes)}`
  })
}
