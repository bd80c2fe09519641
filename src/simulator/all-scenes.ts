/** The scenes of the gym, in the order in which they are played. */
import { parseScene, type Scene } from './scene.ts'
import busy from './scenes/busy.scene' with { type: 'text' }
import early from './scenes/early.scene' with { type: 'text' }
import fax from './scenes/fax.scene' with { type: 'text' }
import hold from './scenes/hold.scene' with { type: 'text' }
import interrupter from './scenes/interrupter.scene' with { type: 'text' }
import menu from './scenes/menu.scene' with { type: 'text' }
import message from './scenes/message.scene' with { type: 'text' }
import mumbler from './scenes/mumbler.scene' with { type: 'text' }
import quick from './scenes/quick.scene' with { type: 'text' }
import silent from './scenes/silent.scene' with { type: 'text' }
import speller from './scenes/speller.scene' with { type: 'text' }
import thinker from './scenes/thinker.scene' with { type: 'text' }
import voicemail from './scenes/voicemail.scene' with { type: 'text' }

const TEXTS = {
  quick,
  thinker,
  mumbler,
  interrupter,
  speller,
  voicemail,
  message,
  menu,
  hold,
  busy,
  silent,
  fax,
  early,
}

export function allScenes(): Scene[] {
  return Object.entries(TEXTS).map(([name, text]) => parseScene(name, text))
}
