import { primaryLanguage } from '../../calls/voice-choice.ts'
import { addresses, ENGLISH_WORDS } from './addresses.ts'
import { ENGLISH_RULES } from './english.ts'
import { tidy, toEnglishLetters, withPlainMarks } from './letters.ts'
import { withoutMarkdown } from './markdown.ts'
import { otherRules, WORDS } from './other-languages.ts'

/**
 * Text as a person would read it out: Markdown and emoji gone, money, times, dates, telephone numbers, addresses, units
 * and short forms in words. English in full; six more languages have words for the common ones; in any other, numbers
 * stay whole and telephone numbers are told digit by digit. `englishLetters`: for a voice that knows no others.
 * Empty when nothing can be said. Never throws.
 */
export function toSpokenForm(
  text: string,
  o: { language: string; englishLetters: boolean },
): string {
  const language = primaryLanguage(o.language)
  const words = language === 'en' ? ENGLISH_WORDS : (WORDS[language] ?? ENGLISH_WORDS)
  const between = language in WORDS || language === 'en' ? words.to : '-'
  let out = addresses(withPlainMarks(withoutMarkdown(text), between), words)
  // A rule may meet accented letters: it looks at words of its language only.
  const rules = language === 'en' ? ENGLISH_RULES : otherRules(o.language)
  for (const rule of rules) out = rule(out, o.language)
  if (o.englishLetters) out = toEnglishLetters(out)
  out = tidy(out, { english: o.englishLetters })
  return /[\p{L}\p{N}]/u.test(out) ? out : ''
}
