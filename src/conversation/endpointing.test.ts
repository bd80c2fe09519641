import { describe, expect, it } from 'vitest'
import { placeCall } from '../../test/kit/fake-call.ts'
import { randomSource } from '../../test/kit/seeded.ts'
import type { TalkEvent } from '../calls/ports.ts'

/** Answers to "What can I do for you?"; `|` is a pause after words that end no sentence, `/` one after a whole one. */
const ANSWERS = [
  'I would like to | order a large | pepperoni pizza, please.',
  'Yes, that works for me.',
  'We are open | from nine to five, | but not on Sundays.',
  'Can you tell me | who is calling?',
  'No, thank you.',
  'The reservation is | under the name | of Miller.',
  'It depends on | how many people | are coming.',
  'That should be fine. / Is there anything else?',
  'Sure.',
  'Well, | I think | we could do it | on Thursday afternoon.',
  'I am not sure | whether he is in today.',
  'Could you | call back | in the afternoon?',
  'She said | that she would be | a little late.',
  'There is | a table for two | near the window.',
  'The delivery takes | about forty minutes.',
  'What was | the name again?',
  'I have to | look that up | in our system.',
  'You can park | behind the building | next to the | bakery.',
  'That costs | twenty dollars | and fifty cents.',
  'We do not | take reservations | for today.',
  'My colleague | will help you | with that.',
  'I can offer you | a room | with a view of | the lake.',
  'Please tell me | what time | you would like to come.',
  'Yes, | we have that | in stock.',
]
const ROUNDS = 4
const WORD_MS = 280
const READY_MS = 330

interface Piece {
  text: string
  ms: number
  /** After the piece; 0 after the last one. */
  pause: number
  whole: boolean
}

function piecesOf(answer: string, random: () => number): Piece[] {
  const parts = answer.split(/ ([|/]) /)
  const pieces: Piece[] = []
  for (let i = 0; i < parts.length; i += 2) {
    const text = parts[i] ?? ''
    const pause = i + 1 < parts.length ? 150 + Math.floor(random() * 750) : 0
    pieces.push({ text, ms: text.split(' ').length * WORD_MS, pause, whole: parts[i + 1] === '/' })
  }
  return pieces
}

async function answered(answer: string, seed: number) {
  const pieces = piecesOf(answer, randomSource(seed))
  const call = await placeCall({
    brief: { firstMessage: 'What can I do for you?' },
    reply: () => ({ text: 'I see.' }),
  })
  await call.run(2600 + (seed % 20))
  let at = call.leg.time()
  for (const { text, ms, pause } of pieces) {
    call.leg.say(text, ms, at)
    at += ms + pause
  }
  await call.run(at - call.leg.time() + 3000)
  const first = call.sounds()[1]?.at ?? Number.POSITIVE_INFINITY
  return { pieces, early: first < at, gap: first - at }
}

describe('endpointing', () => {
  it('answers whole turns within 340 ms and seldom cuts in on pauses of 150 to 900 ms', async () => {
    const turns: Awaited<ReturnType<typeof answered>>[] = []
    for (const [i, answer] of ANSWERS.entries())
      for (let round = 0; round < ROUNDS; round++)
        turns.push(await answered(answer, i * ROUNDS + round + 1))

    const gaps = turns.filter(({ early }) => !early).map(({ gap }) => gap)
    gaps.sort((a, b) => a - b)
    const p50 = gaps[Math.floor(gaps.length / 2)] ?? 0
    const share = (some: readonly { early: boolean }[]): number =>
      (100 * some.filter(({ early }) => early).length) / some.length
    const torn = turns.filter(({ pieces }) => pieces.length > 1)
    const unfinished = torn.filter(({ pieces }) => !pieces.some(({ whole }) => whole))
    const rows = [200, 300, 500, 700].map((silence) => {
      const wait = Math.max(silence, READY_MS)
      const cut = turns.filter(({ pieces }) => pieces.some(({ pause }) => pause > wait)).length
      return `${silence} ms: gap ${wait}, cut in on ${((100 * cut) / turns.length).toFixed(1)} %`
    })
    process.stdout.write(
      `endpointing over ${turns.length} turns, ${torn.length} with pauses: gap p50 ${p50} ms, cut in on ` +
        `${share(turns).toFixed(1)} % of all, ${share(unfinished).toFixed(1)} % of those with pauses in unfinished ` +
        `text; a fixed silence (computed) of ${rows.join('; ')}\n`,
    )
    expect(p50).toBeLessThanOrEqual(340)
    expect(share(turns)).toBeLessThanOrEqual(10)
    expect(share(unfinished)).toBeLessThanOrEqual(2)
  })

  it('learns that a recogniser ends every piece with a full stop, and waits on', async () => {
    const call = await placeCall({ brief: { firstMessage: 'What can I do for you?' } })
    await call.run(2600)
    call.leg.say('I would like a.', 900)
    call.leg.say('Pizza.', 600, call.leg.time() + 1700)
    await call.run(6000)
    call.leg.say('It is a large pizza.', 1200)
    call.leg.say('With olives please.', 1000, call.leg.time() + 1800)
    await call.run(6000)
    expect(human(call.events)).toEqual([
      'I would like a. Pizza.',
      'It is a large pizza. With olives please.',
    ])
  })

  it('learns that a recogniser writes no full stops, and waits for none', async () => {
    const call = await placeCall({ brief: { firstMessage: 'What can I do for you?' } })
    await call.run(2600)
    const text = 'We have a table for two by the window'
    const gaps: number[] = []
    for (let turn = 0; turn < 2; turn++) {
      const end = call.leg.time() + 1600
      call.leg.say(text, 1600)
      await call.run(8000)
      gaps.push((call.sounds()[turn + 1]?.at ?? 0) - end)
    }
    expect(gaps[0]).toBeGreaterThanOrEqual(1200)
    expect(gaps[1]).toBeLessThan(700)
  })

  it('waits longer for a human who has paused long within a sentence', async () => {
    const call = await placeCall({ brief: { firstMessage: 'What can I do for you?' } })
    await call.run(2600)
    call.leg.say('i would like to', 800)
    call.leg.say('order a pizza please', 800, call.leg.time() + 1900)
    await call.run(6000)
    call.leg.say('the large pepperoni', 900)
    call.leg.say('with olives', 600, call.leg.time() + 1950)
    await call.run(6000)
    expect(human(call.events)).toEqual([
      'i would like to order a pizza please',
      'the large pepperoni with olives',
    ])
  })

  it('waits through pauses where the recogniser is not sure of its words', async () => {
    const heard = async (logProbability: number) => {
      const brief = { firstMessage: 'What can I do for you?' }
      const call = await placeCall({ brief, logProbability })
      await call.run(2600)
      const { leg } = call
      leg.say('Enjoy your time.', 2000)
      leg.say('You are.', 1000, leg.time() + 2800)
      leg.say('A very large one.', 2500, leg.time() + 4600)
      await call.run(12_000)
      return human(call.events)
    }
    expect(await heard(-0.9)).toEqual(['Enjoy your time. You are. A very large one.'])
    expect((await heard(-0.3)).length).toBeGreaterThan(1)
  })

  it('takes nothing for a habit that is heard of a word cut in two', async () => {
    const call = await placeCall({ brief: { firstMessage: 'What can I do for you?' } })
    await call.run(2600)
    call.leg.say('I would like a.', 900)
    call.leg.say('Pizza.', 600, call.leg.time() + 1020)
    await call.run(6000)
    const end = call.leg.time() + 1200
    call.leg.say('It is a large pizza.', 1200)
    await call.run(6000)
    expect((call.sounds().at(-1)?.at ?? 0) - end).toBeLessThan(350)
  })

  it.each([
    ['May I have your phone number, please?', ['555,', '123,', '45 67.'], 900],
    ['What is your phone number?', ['Sure.', '555', '123', '4567.'], 1300],
    ['How do you spell your name?', ['S m', 'i t', 'h.'], 1300],
    ['What is the delivery address?', ['It is', '12', 'Main Street.'], 950],
  ])('after %j waits through pauses between %j', async (question, pieces, pause) => {
    const call = await placeCall({ brief: { firstMessage: question } })
    await call.run(3500)
    let at = call.leg.time()
    for (const text of pieces) {
      call.leg.say(text, 700, at)
      at += 700 + pause
    }
    await call.run(at - call.leg.time() + 3000)
    expect(human(call.events)).toEqual([pieces.join(' ')])
  })

  it('waits for somebody who thinks for two seconds', async () => {
    const call = await placeCall({ brief: { firstMessage: 'When shall I come?' } })
    await call.run(2600)
    call.leg.say('Let me think, um', 900)
    call.leg.say('at seven.', 600, call.leg.time() + 2900)
    await call.run(7000)
    expect(human(call.events)).toEqual(['Let me think, um at seven.'])
  })

  it.each<[number | null | 'fails' | 'hangs', number, number, number]>([
    [0.95, 0, 300, 450],
    [0.05, 0, 1200, 1300],
    // Late ones count while the turn is open.
    [0.95, 400, 450, 560],
    [0.05, 400, 1200, 1300],
    [0.05, 1500, 850, 910],
    [null, 0, 850, 910],
    ['fails', 0, 850, 910],
    ['hangs', 0, 850, 910],
  ])('goes by how it sounded where a model hears it: %s after %d ms', async (...row) => {
    const [chance, turnMs, earliest, latest] = row
    const call = await placeCall({
      brief: { firstMessage: 'What can I do for you?' },
      ...(chance === null ? {} : { turnChance: chance, turnMs }),
    })
    await call.run(2600)
    const end = call.leg.time() + 1200
    call.leg.say('the large pepperoni pizza', 1200)
    await call.run(8000)
    const gap = (call.sounds()[1]?.at ?? 0) - end
    expect(gap).toBeGreaterThanOrEqual(earliest)
    expect(gap).toBeLessThanOrEqual(latest)
  })
})

/** What the human said, by turn. */
function human(events: readonly { event: TalkEvent }[]): string[] {
  const turns = new Map<number, string>()
  for (const { event } of events)
    if (event.type === 'transcript' && event.role === 'human') turns.set(event.turn, event.text)
  return [...turns.values()]
}
