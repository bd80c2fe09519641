/** French. */
import { NEVER, type TurnWords, wordSet } from './turn-words.ts'

export const FRENCH: TurnWords = {
  never: wordSet(
    "le la les l un une des du de d' l' au aux mon ma mes ton ta tes son sa ses notre nos votre vos leur leurs ce cet cette " +
      "ces chaque quelques plusieurs et ou mais car donc que qu' si parce puisque quand lorsque comme dont où je j' tu il " +
      "on ils elles c' n' s' m' t' ne se à en dans par pour sur vers chez entre sans sous très trop monsieur madame docteur " +
      'qui quel quelle quels quelles',
  ),
  seldom: wordSet(
    "elle nous vous me te y lui avec contre depuis pendant avant après jusqu'à est sont suis es êtes sommes était étaient " +
      'serait sera a ai ont avez avons avait aurait peut peux pouvez pourrait pourriez veut veux voudrait dois doit devait faut ' +
      "fait c'est n'est j'ai n'ai n'a d'un d'une qu'il qu'elle qu'on quoi comment combien plus moins bien aussi même tout tous toute",
  ),
  awaiting: wordSet(
    'voudrais voulais voulait aimerais cherche cherchons besoin pas déjà encore toujours jamais plutôt environ ' +
      'appelle appelez habite dit dire demander savoir avoir être faire aller prendre donner envoyer numéro rue avenue ' +
      "faudrait pensais pense crois sais puis vais va viens vient m'a m'avez l'ai",
  ),
  adjectives: wordSet(
    'petit petite petits petites grand grande grands grandes gros grosse bon bonne nouveau nouvelle nouvel vieux vieille ' +
      'autre autres premier première deuxième troisième quatrième dernier dernière prochain prochaine même mêmes beau belle ' +
      'mauvais mauvaise deux trois',
  ),
  determiners: wordSet(
    'le la les un une des du au aux mon ma mes notre nos votre vos son sa ses ce cette ces deux trois quatre cinq',
  ),
  common: wordSet(
    "bonjour bonsoir merci beaucoup plaît ici aujourd'hui demain oui ça moi toi eux attendez attends",
  ),
  fillers: wordSet('euh ben bah hum hmm mm'),
  answers: wordSet(
    "oui non ouais si d'accord bien parfait merci exactement voilà absolument okay ok",
  ),
  openers: wordSet("oui ouais bonjour allô d'accord alors bon enfin bah okay ok"),
  numbers: wordSet(
    'zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize vingt trente quarante ' +
      'cinquante soixante cent mille',
  ),
  asking: wordSet(
    'que qui où quand pourquoi comment combien quel quelle est pouvez pourriez avez êtes',
  ),
  conditions: wordSet('si quand lorsque puisque comme dès'),
  verbMissing: NEVER,
  closing:
    /(?:^| )(merci( beaucoup| bien)?|s'il (vous|te) plaît|au revoir|bonne journée|(c'est|ce sera|est) (tout|bon|bien|parfait|ça|correct)|ça (me )?(va|convient|marche)|je ne sais pas|je sais pas|pas (du tout|encore|vraiment)|bien sûr|aucune idée|je (pense|crois))$/,
  moment:
    /(?:^| )(un (instant|moment)( s'il vous plaît)?|attendez|attends|une (seconde|minute)|je vais (chercher|regarder|voir|vérifier).*|laissez-moi .*)$/,
  endsAllTheSame:
    /(?:^| )(nous|vous|lui|elle|avec|avant|après|contre|bien|plus|moins|aussi|même|tout|tous|toute|fait|peux|veux|peut|veut|combien|quoi|est|sont|y)$/,
  objectMissing: NEVER,
}
