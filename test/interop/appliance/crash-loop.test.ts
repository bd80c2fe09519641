import { expect, it } from 'vitest'
import { type CallRow, countEnds } from '../../kit/appliance.ts'
import { awaited } from '../../kit/awaited.ts'
import { endAfterEach } from '../../kit/end-after-each.ts'
import { type Road, startRoad } from '../../kit/road.ts'
import { randomSource } from '../../kit/seeded.ts'
import { isSigned } from '../../kit/webhook-receiver.ts'

const KILLS = Number(process.env.LANDLINE_KILLS ?? 12)
const SEED = Number(process.env.LANDLINE_SEED ?? 1)
const CALLS_EACH = 2
/** A server lives this long at most after its calls were posted. */
const LONGEST_LIFE_MS = 2_000
const CREDIT = 1_000_000

const end = endAfterEach()

/** Whole numbers below `most`, the same with every run. */
function chance(seed: number): (most: number) => number {
  const random = randomSource(seed)
  return (most) => Math.floor(random() * most)
}

/** A phone that now and then never answers, or never hangs up, and a receiver that now and then fails. */
function misbehave({ phone, receiver }: Road): void {
  const upTo = chance(SEED + 1_000)
  phone.plan = () => ({
    ring: upTo(150),
    answer: upTo(6) === 0 ? null : upTo(300),
    hangUp: upTo(4) === 0 ? null : upTo(500),
  })
  receiver.answer = async () => {
    await Bun.sleep(upTo(200))
    return upTo(5) === 0 ? 500 : 200
  }
}

function behave({ phone, receiver }: Road): void {
  phone.plan = () => ({ hangUp: 100 })
  receiver.answer = () => 200
}

/** Posts calls and kills the server `lifeMs` later, wherever it is then. Returns the ids that were acknowledged. */
async function crashOnce({ appliance }: Road, round: number, lifeMs: number): Promise<string[]> {
  const numbers = Array.from(
    { length: CALLS_EACH },
    (_, i) => `+1555${1_000_000 + round * CALLS_EACH + i}`,
  )
  const posts = Promise.allSettled(numbers.map((phoneNumber) => appliance.call({ phoneNumber })))
  await Bun.sleep(lifeMs)
  await appliance.kill()
  const ids = (await posts).flatMap((post) => (post.status === 'fulfilled' ? [post.value] : []))
  await appliance.start()
  return ids
}

/** One end, and one delivery that says so, as often as it came. */
async function expectSettledOnce(road: Road, id: string): Promise<CallRow> {
  const call = await road.appliance.ended(id, 30_000)
  expect(countEnds(call), id).toBe(1)
  const posts = await road.receiver.wait(id, { withinMs: 30_000 })
  expect(new Set(posts.map(({ delivery, body }) => `${delivery} ${body}`)).size, id).toBe(1)
  expect(posts[0]?.call, id).toMatchObject({ status: call.status, endReason: call.endReason })
  expect(posts.every((post) => isSigned(post, road.secret))).toBe(true)
  return call
}

/**
 * Nobody was rung twice, and nobody is left on the line: also an answer that arrived between two kills was acknowledged
 * and hung up on in the end, rather than given up by the phone after 32 s.
 */
async function expectQuiet({ phone }: Road): Promise<void> {
  const numbers = phone.dialogs.map(({ number }) => number)
  expect(numbers).toEqual([...new Set(numbers)])
  const open = (): string[] =>
    phone.dialogs
      .filter(({ state }) => state !== 'ended' && state !== 'canceled')
      .map(({ number, state }) => `${number} ${state}`)
  await awaited(
    () => `the end of ${open()}`,
    40_000,
    () => open().length === 0,
  )
  expect(gaveUp(phone)).toEqual([])
}

function gaveUp(phone: Road['phone']): string[] {
  return phone.dialogs.filter(({ endedBy }) => endedBy === 'timeout').map(({ number }) => number)
}

/** Those, too, whose 201 was lost in a crash. */
async function allCalls({ appliance }: Road): Promise<CallRow[]> {
  const calls: CallRow[] = []
  for (let query = ''; ; ) {
    const { body } = await appliance.request('GET', `/api/v1/calls?limit=100${query}`)
    calls.push(...(body.data as CallRow[]))
    if (body.nextCursor === null) return calls
    query = `&cursor=${encodeURIComponent(String(body.nextCursor))}`
  }
}

function report(acknowledged: number, calls: readonly CallRow[], { phone }: Road): void {
  const rung = phone.dialogs.length
  console.log({ acknowledged, calls: calls.length, rung, outcomes: tally(calls) })
}

function tally(calls: readonly CallRow[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { status, endReason } of calls) {
    const outcome = `${status}/${endReason}`
    counts[outcome] = (counts[outcome] ?? 0) + 1
  }
  return counts
}

it(
  `loses no acknowledged call and rings nobody twice in ${KILLS} kills (seed ${SEED})`,
  async () => {
    const settings = { 'billing.initial_credit': CREDIT, 'calls.ring_timeout': '3s' }
    const road = await startRoad(end, { settings })
    const lives = chance(SEED)
    misbehave(road)
    const ids: string[] = []
    for (let round = 0; round < KILLS; round++)
      ids.push(...(await crashOnce(road, round, lives(LONGEST_LIFE_MS))))
    behave(road)
    expect(ids.length).toBeGreaterThan(KILLS / 2)

    for (const id of ids) await expectSettledOnce(road, id)
    await expectQuiet(road)
    const calls = await allCalls(road)
    for (const { id } of calls) await expectSettledOnce(road, id)
    const cost = calls.reduce((sum, call) => sum + call.cost, 0)
    const me = await road.appliance.request('GET', '/api/v1/me')
    expect(me.body.balance).toBe(CREDIT - cost)
    if (KILLS > 12) report(ids.length, calls, road)
  },
  120_000 + KILLS * 5_000,
)
