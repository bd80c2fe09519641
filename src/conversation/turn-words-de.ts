/** German. Verbs and their prefixes end sentences: with a full stop they are believed. */
import { NEVER, type TurnWords, wordSet } from './turn-words.ts'

export const GERMAN: TurnWords = {
  never: wordSet(
    'der den dem des ein eine einen einem eines mein meine meinen meinem meiner meines dein deine unser unsere unseren ' +
      'unserem unserer ihre ihren ihrem ihrer seine seinen seinem seiner kein keine keinen keinem keiner und oder aber weil ' +
      'dass ob wenn obwohl damit sondern denn falls bevor nachdem sobald solange für von am im zum zur vom beim ins ans ' +
      'seit wegen während gegen ohne durch zwischen ich wir man als herr frau doktor sehr jede jeden jeder jedes',
  ),
  seldom: wordSet(
    'die das dies diese diesen dieser dieses du er sie es ihr mit zu in an auf bei nach aus um über unter vor hinter neben ' +
      'bis ist sind war waren bin bist hat haben hatte habe wird werden würde würden kann können könnte könnten muss ' +
      'müssen soll sollte sollten will wollen wollte möchte möchten darf dürfen was wer wie wo wann warum wieso welche ' +
      'welcher welches nur auch nicht noch so also dann sein etwa ungefähr vielleicht zwar entweder weder etwas einige ein paar',
  ),
  awaiting: wordSet(
    'hätte hätten gern gerne brauche brauchen suche suchen nehme nehmen heiße nenne gebe geben sage sagen gesagt frage ' +
      'fragen denke glaube meine meint wohne wohnen komme kommen rufe rufen sich mir mich uns ihnen euch jetzt schon ' +
      'ganz mal eben gerade seit halb viertel nummer hausnummer geht gibt liegt steht leider eigentlich immer wieder wäre ' +
      'können dabei darum daran davon gestern heute morgen bekommen machen mache macht finde finden',
  ),
  adjectives: wordSet(
    'neue neuen neues neuer alte alten altes alter große großen großes großer kleine kleinen kleines kleiner gute guten ' +
      'gutes guter andere anderen anderes anderer nächste nächsten nächster nächstes letzte letzten letzter letztes erste ' +
      'ersten zweite zweiten dritte dritten ganze ganzen eigene eigenen falsche falschen richtige richtigen beste besten ' +
      'blaue rote weiße schwarze grüne schöne kaputte kalte warme lange kurze gleiche gleichen',
  ),
  determiners: wordSet(
    'der die das den dem des ein eine einen einem einer mein meine meinen meinem meiner unser unsere unseren unserem ' +
      'unserer ihr ihre ihren ihrem ihrer sein seine seinen seinem kein keine keinen am im zum zur vom beim ins diese ' +
      'diesen dieser zwei drei vier fünf sechs',
  ),
  common: wordSet(
    'guten tag hallo bitte vielen dank heute morgen hier nein dich dir euch warten moment',
  ),
  fillers: wordSet('äh ähm hm hmm mm öh ehm'),
  answers: wordSet(
    'ja nein doch okay gut genau richtig klar gern gerne danke stimmt natürlich tschüss nö jawohl sicher',
  ),
  openers: wordSet('ja okay gut klar gern gerne hallo also so tja naja'),
  numbers: wordSet(
    'null eins zwei zwo drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn ' +
      'achtzehn neunzehn zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig hundert tausend',
  ),
  asking: wordSet(
    'was wer wo wann warum wieso wie welche welcher kann können könnten haben ist sind gibt',
  ),
  conditions: wordSet('wenn falls sobald obwohl während bevor nachdem da'),
  verbMissing: NEVER,
  closing:
    /(?:^| )(vielen dank|danke( schön| sehr)?|bitte|tschüss|auf wiederhören|das (passt|stimmt|geht|reicht|wars|war's|ist (gut|richtig|alles|in ordnung))|in ordnung|keine ahnung|(weiß|weiss) (ich )?(leider )?nicht|alles klar|gar nicht|überhaupt nicht|(denke|glaube) (schon|ja|nicht)|noch nicht)$/,
  moment:
    /(?:^| )((einen |kleinen |'nen )?(moment|augenblick|sekunde)( bitte| mal)?|warten sie( bitte| mal| kurz)?|ich (hole|schaue|gucke|sehe|muss) (nur |mal |kurz |schnell |eben |nach)+.*|lassen sie mich .*(sehen|schauen|überlegen|nachsehen))$/,
  endsAllTheSame:
    /(?:^| )(nicht|das|sie|es|ihr|er|mit|zu|an|auf|aus|um|vor|nach|bei|ist|sind|war|waren|bin|bist|hat|haben|hatte|habe|wird|werden|würde|würden|kann|können|könnte|könnten|muss|müssen|soll|sollte|will|wollen|wollte|möchte|darf|sein|auch|dann|etwas)$/,
  objectMissing:
    /^((ja|also|aber|und|nein) )*(ich|wir) (möchte|möchten|brauche|brauchen|hätte|hätten|suche|bin|habe|will|wollte)( gerne?)?$|\b(nummer|name|adresse|problem|frage) ist$/,
}
