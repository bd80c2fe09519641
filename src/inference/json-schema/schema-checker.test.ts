import { describe, expect, it } from 'vitest'
import { endAfterEach } from '../../../test/kit/end-after-each.ts'
import { systemClock } from '../../core/clock.ts'
import { createSchemaChecker } from './schema-checker.ts'

const end = endAfterEach()

function setup() {
  let begun = 0
  const checker = createSchemaChecker({
    clock: systemClock,
    spawn: () => {
      begun++
      return new Worker(new URL('./schema-worker.ts', import.meta.url).href)
    },
  })
  end(() => checker.stop())
  return { checker, threads: () => begun }
}

/** 2⁴⁰ checks of one value. */
function exploding(): object {
  const $defs: Record<string, object> = { s0: { minimum: 0 } }
  for (let i = 1; i <= 40; i++)
    $defs[`s${i}`] = { allOf: [{ $ref: `#/$defs/s${i - 1}` }, { $ref: `#/$defs/s${i - 1}` }] }
  return { $ref: '#/$defs/s40', $defs }
}

describe('the schema checker', () => {
  it('judges schemas and values on one thread', async () => {
    const { checker, threads } = setup()
    const verdicts = await Promise.all([
      checker.problemOfSchema({ type: 'object' }),
      checker.problemOfSchema({ type: 'objekt' }),
      checker.problemOfValue({ type: 'object' }, {}),
      checker.problemOfValue({ type: 'object' }, 'no'),
    ])
    expect(verdicts).toEqual([
      null,
      expect.stringContaining('/type'),
      null,
      'is wrong: it must be object',
    ])
    expect(threads()).toBe(1)
  })

  it('cuts off a check that does not end, and goes on with the others', async () => {
    const { checker, threads } = setup()
    const hostile = checker.problemOfValue(exploding(), 1)
    const next = checker.problemOfValue({ type: 'number' }, 1)
    expect(await hostile).toBe('takes too long to check')
    expect(await next).toBeNull()
    expect(threads()).toBe(2)
  })

  it('is not held up by a pattern that backtracks without end', async () => {
    const { checker } = setup()
    const schema = { type: 'string', pattern: '^(a|aa)+$' }
    expect(await checker.problemOfValue(schema, `${'a'.repeat(100)}b`)).not.toBeNull()
    expect(await checker.problemOfValue(schema, 'aaa')).toBeNull()
  })

  it('leaves nothing running when it is stopped, and can be asked again', async () => {
    const { checker, threads } = setup()
    await checker.problemOfSchema({})
    await checker.stop()
    await checker.stop()
    expect(await checker.problemOfSchema({})).toBeNull()
    expect(threads()).toBe(2)
  })
})
