/** The words by which the end of a turn is told, of one language. */

export interface TurnWords {
  /** No sentence ends on these, whatever a recogniser writes after them. */
  never: ReadonlySet<string>
  /** A sentence ends on these at times: a full stop after one is half believed. */
  seldom: ReadonlySet<string>
  /** Where nothing is known of full stops, more is awaited after these too. */
  awaiting: ReadonlySet<string>
  /** They stand before a noun: after a determiner and one of these the noun is missing. */
  adjectives: ReadonlySet<string>
  determiners: ReadonlySet<string>
  /** Other words by which the language is told. */
  common: ReadonlySet<string>
  fillers: ReadonlySet<string>
  /** Whole answers to a question for yes or no. */
  answers: ReadonlySet<string>
  /** Greetings and the like, by which nobody answers anything. */
  openers: ReadonlySet<string>
  numbers: ReadonlySet<string>
  /** Begin a question. */
  asking: ReadonlySet<string>
  /** Begin a clause that another one follows. */
  conditions: ReadonlySet<string>
  /** Ends on a subject whose verb is missing. */
  verbMissing: RegExp
  /** What a turn ends with. */
  closing: RegExp
  /** Its last sentence asks for a moment. */
  moment: RegExp
  /** Ends on `seldom` words that end it all the same, where a full stop follows. */
  endsAllTheSame: RegExp
  /** Whose object is missing even where a full stop follows. */
  objectMissing: RegExp
}

export const wordSet = (text: string): ReadonlySet<string> => new Set(text.split(' '))

/** Matches nothing. */
export const NEVER = /(?!)/
