/** What the agent's last words ask for: by it a short answer is judged, and how patiently one is listened to. */

export type Asked =
  /** Something that is spelt, counted or said in pieces: a number, an address. */
  | 'dictation'
  /** Yes or no. */
  | 'decision'
  /** Anything else, that takes words of its own. */
  | 'answer'
  | 'nothing'

const DICTATED =
  /\b(spell|numbers?|digits|address|street|e-?mail|zip|post ?code|postal code|account|reference|confirmation|code|pin|plate|date of birth|birthday|nummer|\w*nummer|adresse|buchstabier\w*|numéro|número|dirección|correo)\b/
const REQUEST = /\?|\b(please|tell me|give me|let me have|bitte|s'il vous|por favor)\b/
/** The last clause asks with its verb first, or with a tag: for yes or no. */
const DECIDES =
  /^((and|so|then|okay|or|alright|great|und|et|y|also|also,) )*(is|are|was|were|do|does|did|can|could|may|shall|should|will|would|have|has|am|isn't|aren't|don't|doesn't|won't|wouldn't|ist|sind|passt|haben|hätten|können|könnten|darf|soll|sollen|möchten|wollen|geht|est-ce|êtes|avez|voulez|pouvez|puis-je|c'est|le parece|es|está|tiene|puede|quiere|desea)\b|\b(right|okay|ok|correct|yes|all right|isn't it|oder|richtig|ja|no|verdad|vale|non|d'accord|n'est-ce pas)\s*\?\s*$/
/** Yes or no by its form, and a "yes" is only the beginning of what it asks for. */
const INVITES =
  /\b((could|can|would|will) (you|we|i) (please )?(tell|give|describe|explain|say|let me|repeat|have|get|know|share|show|spell|ask)|(anything|something) else|mind telling|any (other )?(questions|wishes)|sonst noch|noch etwas|autre chose|algo más|in mind|help you)\b|\bor\b/

/** By the last sentences: what comes before them is answered already, or never. */
export function askedFor(text: string): Asked {
  const sentences = (text.toLowerCase().match(/[^.!?]+[.!?]*/g) ?? []).slice(-2)
  const tail = sentences.join('')
  if (!REQUEST.test(tail)) return 'nothing'
  if (DICTATED.test(tail)) return 'dictation'
  const last = sentences.at(-1)?.replace(/[¿¡]/g, '').trim() ?? ''
  return last.includes('?') && DECIDES.test(last) && !INVITES.test(last) ? 'decision' : 'answer'
}
