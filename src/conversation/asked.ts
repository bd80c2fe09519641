/** What the agent's last words ask for: by it a short answer is judged, and how patiently one is listened to. */

export type Asked =
  /** Something that is spelt, counted or said in pieces: a number, a name, an address. */
  'dictation' | 'answer' | 'nothing'

const DICTATED =
  /\b(spell|numbers?|digits|address|street|e-?mail|zip|post ?code|postal code|account|reference|confirmation|code|pin|plate|date of birth|birthday|nummer|adresse|buchstabier\w*|numéro|número|correo)\b/
const REQUEST = /\?|\b(please|tell me|give me|let me have|bitte|s'il vous|por favor)\b/

/** By the last sentences: what comes before them is answered already, or never. */
export function askedFor(text: string): Asked {
  const tail = (text.toLowerCase().match(/[^.!?]+[.!?]*/g) ?? []).slice(-2).join('')
  if (!REQUEST.test(tail)) return 'nothing'
  return DICTATED.test(tail) ? 'dictation' : 'answer'
}
