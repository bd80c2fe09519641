/** Short forms that stand before a name or a number, and what they are short for. */
const BEFORE: readonly [RegExp, string][] = [
  [/\bDr\.?(?=\s+[A-Z])/g, 'Doctor'],
  [/\bMr\.?(?=\s)/g, 'Mister'],
  [/\bMrs\.?(?=\s)/g, 'Missus'],
  [/\bMs\.?(?=\s+[A-Z])/g, 'Miz'],
  [/\bProf\.?(?=\s+[A-Z])/g, 'Professor'],
  [/\bMt\.(?=\s+[A-Z])/g, 'Mount'],
  [/\bFt\.(?=\s+[A-Z])/g, 'Fort'],
  [/\b[Nn]o\.\s?(?=\d)/g, 'number '],
  [/\b[Aa]pt\.?\s?(?=#?\d)/g, 'apartment '],
  [/\b[Ss]te\.\s?(?=#?\d)/g, 'suite '],
  [/\b[Ee]xt?\.\s?(?=\d)|\bext\s(?=\d)/g, 'extension '],
]
/** Those that may end a sentence: their period stays where one ends. */
const ANYWHERE: Readonly<Record<string, string>> = {
  'e.g.': 'for example',
  'i.e.': 'that is',
  'etc.': 'et cetera',
  'vs.': 'versus',
  'approx.': 'approximately',
  'dept.': 'department',
  'appt.': 'appointment',
  'Ave.': 'Avenue',
  'Blvd.': 'Boulevard',
  'Rd.': 'Road',
  'Ln.': 'Lane',
  'Hwy.': 'Highway',
  'Inc.': 'Incorporated',
  'Ltd.': 'Limited',
  'Corp.': 'Corporation',
  'Jr.': 'Junior',
  'Sr.': 'Senior',
  'Jan.': 'January',
  'Feb.': 'February',
  'Aug.': 'August',
  'Sept.': 'September',
  'Oct.': 'October',
  'Nov.': 'November',
  'Dec.': 'December',
  'Mon.': 'Monday',
  'Tue.': 'Tuesday',
  'Wed.': 'Wednesday',
  'Thu.': 'Thursday',
  'Fri.': 'Friday',
}
const FORMS = new RegExp(
  `(?<![\\w.])(?:${Object.keys(ANYWHERE)
    .map((form) => form.replaceAll('.', '\\.'))
    .join('|')})(?!\\w)`,
  'g',
)

/** `Dr. Smith` → Doctor Smith, `12 Main St.` → 12 Main Street, `e.g.` → for example. */
export function abbreviations(text: string): string {
  let out = text
    // After a name it is a street, before one a saint.
    .replace(
      /(?<=[A-Z][a-z]+\s|\d(?:st|nd|rd|th)\s)St\.(?=\s|,|$)/g,
      (_, at: number) => `Street${stop(text, at + 3)}`,
    )
    .replace(/\bSt\.(?=\s+[A-Z])/g, 'Saint')
    .replace(
      /(?<=\d\s(?:[A-Z][a-z]+\s)+)Dr\.(?=\s|,|$)/g,
      (_, at: number) => `Drive${stop(text, at + 3)}`,
    )
  for (const [form, long] of BEFORE) out = out.replace(form, long)
  const before = out
  return before.replace(
    FORMS,
    (form, at: number) => `${ANYWHERE[form]}${stop(before, at + form.length)}`,
  )
}

/** A period where the sentence ends at `end`: at the text's end, or before a capital that begins a word. */
function stop(text: string, end: number): string {
  return /^\s*$|^\s+[A-Z][a-z]/.test(text.slice(end)) ? '.' : ''
}

/** Reference codes of capitals and digits, sign by sign: `QX7Z9` → Q X 7 Z 9. */
export function codes(text: string): string {
  return text.replace(
    /(?<![\w'-])(?=[A-Z0-9]*\d)(?=[A-Z0-9]*[A-Z])[A-Z0-9]{4,12}(?![\w'-])/g,
    (code) => [...code].join(' '),
  )
}
