import { expect, it } from 'vitest'
import { wordErrors } from './word-errors.ts'

it.each([
  ['What would you like to order?', 'what would you like to order', 0, 6],
  ["It's at seven p.m.", 'its at 7 pm', 1, 4],
  ['five five five', 'five five', 1, 3],
  ['Yes.', 'Yes, thank you.', 2, 1],
  ['Hello, this is Maria.', '', 4, 4],
])('counts the wrong words of %j heard as %j', (said, heard, wrong, of) => {
  expect(wordErrors(said, heard)).toEqual({ wrong, of })
})
