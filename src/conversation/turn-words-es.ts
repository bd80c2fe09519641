/** Spanish. */
import { NEVER, type TurnWords, wordSet } from './turn-words.ts'

export const SPANISH: TurnWords = {
  never: wordSet(
    'el la los las un una unos unas al del mi mis tu tus su sus nuestro nuestra nuestros nuestras y e o u pero porque que ' +
      'si aunque cuando como donde mientras pues a de en con sin por para sobre entre hasta desde hacia según contra muy ' +
      'cada algún alguna ningún ninguna señor señora doctor se me te le les nos cuyo cuya tan',
  ),
  seldom: wordSet(
    'lo yo él ella ellos usted ustedes esto este esta estos estas ese esa eso aquel aquella no es son era eran soy estoy ' +
      'está están estaba fue fui ha he han hemos había hay puede puedo pueden podría quiero quiere quería quisiera tengo ' +
      'tiene tienen tenemos tenía voy va vamos iba debe deben más menos todo todos toda todas otro otra otros qué quién ' +
      'cómo cuándo dónde cuánto cuál también ya sólo solo casi antes después aún',
  ),
  awaiting: wordSet(
    'necesito necesita busco buscamos llamo llama prefiero gustaría creo pienso digo dijo decir saber preguntar hacer ir ' +
      'dar tomar poner vivo vivimos todavía siempre nunca quizás quizá unos alrededor calle número avenida hola bueno ' +
      'cerca dentro fuera además media cuesta sido estado',
  ),
  adjectives: wordSet(
    'gran buen buena mal mala nuevo nueva nuevos primer primera segundo segunda tercer tercera último última próximo ' +
      'próxima mismo misma otro otra dos tres pequeño pequeña viejo vieja',
  ),
  determiners: wordSet(
    'el la los las un una unos unas mi mis tu su sus nuestro nuestra este esta ese esa al del dos tres cuatro cinco',
  ),
  common: wordSet(
    'hola gracias favor aquí hoy mañana sí buenos buenas días tardes mí ti espere espera momento',
  ),
  fillers: wordSet('eh em mm hmm'),
  answers: wordSet(
    'sí no claro vale bien perfecto exacto correcto gracias adiós bueno exactamente okay ok',
  ),
  openers: wordSet('sí hola buenas claro vale bueno pues okay ok'),
  numbers: wordSet(
    'cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince veinte treinta cuarenta ' +
      'cincuenta sesenta setenta ochenta noventa cien mil',
  ),
  asking: wordSet('qué quién dónde cuándo cómo cuánto cuál puede puedo podría tiene tienen hay'),
  conditions: wordSet('si cuando aunque mientras como'),
  verbMissing: NEVER,
  closing:
    /(?:^| )((muchas )?gracias|por favor|adiós|hasta (luego|pronto|mañana)|(eso )?es todo|está bien|(me )?parece (bien|perfecto)|de acuerdo|no lo sé|no sé|todavía no|aún no|desde luego|por supuesto|creo que (sí|no)|me viene bien)$/,
  moment:
    /(?:^| )(un (momento|momentito|segundo|minuto)( por favor)?|espere|espera|voy a (buscar|mirar|ver|comprobar).*|déjeme .*|déme un .*)$/,
  endsAllTheSame:
    /(?:^| )(eso|esto|yo|él|ella|usted|ustedes|también|ya|más|menos|no|todo|todos|es|son|está|están|hay|puedo|puede|quiero|tengo|voy|antes|después|solo|aún|otro|otra)$/,
  objectMissing: /^((sí|bueno|pues|no) )*(necesito|quiero|quisiera|busco|prefiero)$/,
}
