/** Who speaks, by what is said: a voicemail, a phone menu, a queue, a screening; or a person who asks for a moment. */

const patterns = (...list: RegExp[]): ((text: string) => boolean) => {
  return (text) => list.some((pattern) => pattern.test(text))
}

/** Whoever offers to take a message is a person. */
const isOffer = patterns(
  /\b(would|do|did) you (like|want|care) (me )?to leave\b/,
  /\b(can|may|shall|should) i (take|leave|give|pass)\b/,
  /\bi('ll| will| can) (take a message|let (him|her|them) know)\b/,
)
const isGreetingForSure = patterns(
  /\b(leave|record) (me |us )?(a|your|an?other)? ?(short |brief |detailed )?(message|name)\b/,
  /\b(after|at|following) the (tone|beep|signal)\b/,
  /\bvoice ?mail(box)?\b|\bmailbox\b|\banswering machine\b/,
  /\b(is|are) not available (right now |at the moment |at this time )?to (take|answer)\b/,
  /\b(the|your) (person|party|customer|subscriber|number|call)( that)? (you|has|have) .*\b(unavailable|not available|forwarded)\b/,
  /\bnach dem (signal)?ton\b|\bhinterlassen sie\b|\bmailbox von\b/,
  /\baprès le (bip|signal)\b|\blaissez(-| )(moi |nous )?(un|votre) message\b/,
  /\bdespués (de la señal|del tono)\b|\bdeje (su|un) mensaje\b/,
)
/** Each of these a person may say too; two of them a person does not. */
const GREETING_SIGNS = [
  /\byou('ve| have) reached\b/,
  /\b(can't|cannot|can not|unable to) (come to|take|answer|get to) (the|your|my) (phone|call)\b/,
  /\bget back to you\b|\b(return|call) your? (call|back)\b|\bcall you back\b/,
  /\b(not|un)available\b/,
  /\bas soon as (possible|i can|we can)\b/,
  /\boffice hours\b/,
]

const KEY =
  '(\\d|zero|one|two|three|four|five|six|seven|eight|nine|star|pound|hash|the (star|pound|hash) key)'
const isMenuText = patterns(
  new RegExp(
    `\\b(press|dial|push|hit|enter|choose|select|say|drücken sie die|tapez|appuyez sur le|marque|pulse)( the number)? ${KEY}\\b`,
  ),
  new RegExp(`\\b${KEY} (for|to (speak|reach|hear|make|return))\\b.*\\b${KEY} (for|to)\\b`),
  /\b(enter|key in) (your|the) .*\b(number|pin|code|extension)\b|\bmain menu\b|\bmenu options\b/,
)
const isQueueText = patterns(
  /\b(your call is (very )?important|all (of )?our (agents|representatives|operators|lines)|calls? will be (answered|taken) in the order)\b/,
  /\b(you are|you're) (number |caller )?\w+ in (line|the queue)\b|\b(estimated|average|approximate) wait(ing)? time\b/,
  /\b(please )?(stay|remain|hold) on the line\b|\bplease (continue to hold|keep holding)\b/,
  /\bthe next available (agent|representative|operator|advisor)\b/,
)
const isScreeningText = patterns(
  /\b(call )?screening\b|\bscreens? (your|this|all) calls?\b/,
  /\b(say|state|tell me|leave|record) your name( and|\b)/,
  /\bwho('s| is) calling\b.*\b(why|reason|regarding|about)\b|\b(reason|purpose) (for|of) (your|the) call\b/,
)
const isWaitText = patterns(
  /\b(hold|hang) on\b|\bone (moment|second|sec|minute)\b|\bjust a (moment|second|sec|minute)\b|\bbear with me\b/,
  /\bplease (hold|wait)\b|\bgive me a (moment|second|sec|minute)\b/,
  /\bi('ll| will) (just )?(get|fetch|put|transfer|connect|go and|see if|check|look)\b|\bputting you through\b|\blet me (get|check|look|see|transfer|put)\b/,
  /\beinen (moment|augenblick)\b|\bun (momento|instant)\b|\bne quittez pas\b/,
)

/** The greeting of a voicemail or an answering machine. */
export function isVoicemailGreeting(text: string): boolean {
  const said = plain(text)
  if (isOffer(said) || isScreening(text)) return false
  if (isGreetingForSure(said)) return true
  return GREETING_SIGNS.filter((sign) => sign.test(said)).length >= 2
}

/** A phone menu that wants keys to be pressed. */
export function isMenu(text: string): boolean {
  return isMenuText(plain(text))
}

/** A recording that asks to go on waiting. */
export function isQueue(text: string): boolean {
  return isQueueText(plain(text))
}

/** Somebody, or something, that asks who calls and why before it puts the call through. */
export function isScreening(text: string): boolean {
  return isScreeningText(plain(text))
}

/** How long to wait in silence after this was said, in ms; 0 when nobody asked for it. */
export function waitAsked(text: string): number {
  if (isQueue(text)) return QUEUE_MS
  return isWaitText(plain(text)) ? MOMENT_MS : 0
}
const QUEUE_MS = 180_000
const MOMENT_MS = 60_000

/** What the model is told before such a text; null when a person speaks. It has no brackets of its own. */
export function hintFor(text: string): string | null {
  if (isMenu(text))
    return '(An automatic phone menu speaks. Choose with press_digits and say nothing. If nothing fits, choose an operator or call wait.)'
  if (isScreening(text))
    return '(The call is screened. Say in one sentence who you are, for whom you call and why.)'
  if (isQueue(text)) return '(A recording asks you to stay on the line. Call wait and say nothing.)'
  if (isVoicemailGreeting(text)) return '(This sounds like the greeting of a voicemail.)'
  return null
}

function plain(text: string): string {
  return text.toLowerCase().replace(/’/g, "'").replace(/[,;:]/g, '').replace(/\s+/g, ' ').trim()
}
