/** Signs of listening: what people say into another's words without wanting them to stop. */

const set = (text: string): ReadonlySet<string> => new Set(text.split(' '))

const SIGNS = set(
  'mhm mmhm mm mmm hm hmm hmhm uh huh uhhuh ah aha oh ooh yeah yep yup yes ya okay ok alright right sure exactly ' +
    'great good nice cool wow really perfect true indeed fine definitely absolutely totally gotcha ' +
    'ja genau stimmt klar oui daccord voilà sí si vale claro bueno já sim certo hai',
)
const PHRASES =
  /\b(i see|got it|of course|go on|go ahead|all right|makes sense|that's right|ach so)\b/g
/** Short as it may be, this wants to be heard. */
const INTERRUPTIONS =
  /\b(stop|wait|no|nope|not|don't|hold on|hang on|one (moment|second)|just a|sorry|excuse me|pardon|what|who|why|when|where|how|hello|listen|actually|but|bye|goodbye|help|nein|halt|stopp|warte|moment|non|attendez|espera)\b/
const MAX_WORDS = 6

/** Whether `text` consists of signs of listening alone, and of few enough. */
export function isBackchannel(text: string): boolean {
  const words = plain(text).replace(PHRASES, 'okay').split(' ')
  return words.length <= MAX_WORDS && words.every((word) => SIGNS.has(word))
}

/** Whether `text` asks for the word, however short it is. */
export function isInterruption(text: string): boolean {
  return text.includes('?') || INTERRUPTIONS.test(plain(text))
}

function plain(text: string): string {
  return text
    .toLowerCase()
    .replace(/[-‐]/g, ' ')
    .replace(/’/g, "'")
    .replace(/[^\p{L}\p{N}' ]+/gu, '')
    .replace(/\s+/g, ' ')
    .trim()
}
