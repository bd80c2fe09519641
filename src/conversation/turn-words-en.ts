/** English: how sentences end, and how they do not. */
import { type TurnWords, wordSet } from './turn-words.ts'

const DETERMINERS =
  'the a an my your our their its his her this that these those some any another every each no both all which whose ' +
  'what such two three four five six seven eight nine ten'

export const ENGLISH: TurnWords = {
  never: wordSet(
    "the a an my your our their its every and or nor but because cause 'cause if whether than although though unless " +
      "while whereas as i we he she they i'm i'll i've i'd we're we'll we've we'd you're you'll you've you'd they're " +
      "they'll they've they'd he's he'd he'll she's she'd she'll it's it'll it'd that's that'll there's here's where's " +
      "what's who's who'd how's let's gonna wanna gotta whose mr mrs ms mister missus very plus called named via per",
  ),
  seldom: wordSet(
    'to of for from with without at in on by into onto about until till since between near under over through during ' +
      'against towards toward behind above below beside beyond upon within among despite except regarding concerning ' +
      'unlike like past after before so then that this these those which who whom what how when whenever where wherever ' +
      'why is are was were be been being am will would could should can might must may shall do does did has have had ' +
      "isn't aren't wasn't weren't don't doesn't didn't won't wouldn't can't cannot couldn't shouldn't haven't hasn't hadn't " +
      'not her his some any another other each both several even only just also quite rather almost maybe perhaps either ' +
      "neither you'd who've must've might've should've could've would've",
  ),
  awaiting: wordSet(
    'really actually always already never probably basically usually sometimes still yet more most less few many ' +
      'half quarter number doctor around up off out down across along inside outside next last first second ' +
      'need needs needed want wants wanted have having get gets getting got take takes took taking make makes made making ' +
      'give gives gave giving tell tells told telling send sends sent sending put puts bring brought ask asks asked asking ' +
      'say says said saying think thinks thought mean means meant guess hope believe suppose wonder wondering prefer ' +
      'find found see saw keep keeps kept try tries tried trying going able supposed used use uses using buy bought ' +
      'feel felt seem seems seemed sound sounds look looks looked become became include includes receive received ' +
      'contain cost costs charge charged offer offered order ordered want wish expect expected plan planning planned ' +
      'hoping looking calling speak spoke talk talked wait waited waiting let lets help helped show showed check change ' +
      'changed cancel book booked move moved leave left start started stop stopped come came go went live lived ' +
      'depends depend due instead together pick picked turn turned ran run',
  ),
  adjectives: wordSet(
    'new old big small large little long short good bad great nice different same other whole single double next last ' +
      'first second third fourth fifth sixth certain special main extra own local current previous former final full free ' +
      'fresh hot cold warm blue red green white black brown grey gray yellow pink orange early late high low important young ' +
      'medium regular normal usual real only very few more broken wrong right left front back upper lower quick better ' +
      'best worst bigger smaller larger cheaper strange funny beautiful expensive cheap private public general personal ' +
      'recent simple huge tiny heavy light dark clean dirty busy quiet loud separate second-hand used spare following ' +
      'credit customer opening washing living dining swimming waiting post phone half twenty thirty forty fifty hundred',
  ),
  determiners: wordSet(DETERMINERS),
  common: wordSet(
    'me you it him them us mine yours here there please thank thanks hello hi today tomorrow now okay',
  ),
  fillers: wordSet('um uh uhm umm er erm ehm hmm hm mm eh'),
  answers: wordSet(
    'yes yeah yep yup yea no nope nah okay ok sure right correct exactly alright fine great perfect absolutely definitely ' +
      'certainly thanks bye goodbye nothing never agreed',
  ),
  openers: wordSet('yes yeah yep sure okay ok right alright hello hi hey so oh well ah'),
  numbers: wordSet(
    'zero oh one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen ' +
      'seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand double triple',
  ),
  asking: wordSet('what who where when why how which can could will would do does did is are'),
  conditions: wordSet('if when whenever once although though unless while since after before'),
  verbMissing:
    /\b(can|could|would|will|do|did|does|are|were|have|had|should|if|that|when|what|because|and|or|as|than|so|until|before|after|where|how|which|who|thing|one) you$|\b(is|are|was|were|will|would|that|if|because|so|and|when) there$|\b(can|could|would|will) (you|i|we|someone|somebody) please$|\b(tell|give|send|show|ask|let|make|get|help) me$/,
  closing:
    /\b(thank you( very much| so much)?|thanks( a lot)?|please|you're welcome|good ?bye|bye ?bye|see you|that's (it|all|right|correct|fine|okay|ok|good|great|perfect|me|everything)|that is (it|all|right|correct|fine)|sounds (good|great|fine|perfect)|(would|will|'ll) be (great|fine|good|perfect|lovely|nice)|(that|it|this) works|works for (me|us)|of course|no problem|no idea|not (really|yet|at all)|(think|hope|guess) so|if (that's )?possible|as (soon as )?possible|as well|how can i help( you)?)$/,
  moment:
    /^((yes|yeah|no|okay|ok|oh|um|uh|well|so|sorry|sure|just|hm|hmm|and|actually) )*(let me (just |quickly )?(see|think|check|look|find|get|grab|write)\b( (?!(i|i'm|we|it|it's|he|she|they|you|there|that's)\b)[^ ]+( [^ ]+){0,6})?|((give me |for )?(a|one|half a) (second|sec|moment|minute))|bear with me|wait( (a|one) (second|sec|moment|minute))?)( please)?$|\b(hold|hang) on( (a|one|for a) (second|sec|moment|minute))?( please)?$|\bgive me (just )?(a|one) (second|sec|moment|minute)( please)?$/,
  endsAllTheSame:
    /\b(with|of|about|for|like|after|before|do|did|done|know|understand|hear|appreciate|confirm|arrange|have|take|need|want|want to do|love|enjoy) (this|that|some|these|those|any|another)$|\b(afraid|hope|guess|why|probably|certainly|or|rather|maybe|perhaps|better|of course|absolutely|definitely) not$|\b(think|hope|guess|suppose|believe|say|said|do) so$|(n't|\bcannot)$|^(yes|yeah|yep|no|nope|sure|of course|i think|i'm sure|so|neither)\b.*\b(i|we|it|you|they|he|she|that|there) (is|are|am|was|were|do|does|did|can|could|will|would|should|have|has)( not)?$|\b(let|come|came|check|checked|is|he's|she's|not) (\w+ ){0,2}in$|\b(what|who|where|which|whatever|whoever)\b.* (to|of|for|from|with|about|at|is|are|was|were|can|do|did|will|like|have)$|\b(turn|turned|switch|switched|put|come|go|goes|went|going|carry|keep) (\w+ )?(on|over|through|by)$|\b(see|meet|call|talk to|speak to) (you|me|him|her|us|them) then$|\b(see|back|until|till) then$|\b(know|understand|explain|remember|tell \w+|see) (why|how|when|where|who|what|which)$|\b(me|you|it|him|us|them|one) (too|like|before|after|either|neither)$|\b(yesterday|week|month|year|day|hours?|minutes?) (before|after)$|\b(as it|to|let it|should|would|could|must|can|may|might|it'll|will|i'll) be$|\b(have|need|want|like|used|got|supposed|able) to$/,
  objectMissing:
    /^((well|so|but|and|yes|okay|sorry|no) )*(i|we|they)('d| would| do| really)? (want|need|like|prefer|guess|mean|say|got)$|\b(number|name|address|email|code|problem|thing|question) is$/,
}
