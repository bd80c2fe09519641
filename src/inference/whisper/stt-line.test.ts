import { describe, expect, it } from 'vitest'
import { createSttLine, type SttJob } from './stt-line.ts'

function setup() {
  const events: string[] = []
  const line = createSttLine<SttJob>({
    start: ({ id }) => void events.push(`start ${id}`),
    stop: ({ id }) => void events.push(`stop ${id}`),
    overtaken: ({ id }) => void events.push(`overtaken ${id}`),
  })
  return {
    line,
    seen: () => events.splice(0),
    final: (id: number, ring = id) => line.add({ id, ring, isPartial: false }),
    partial: (id: number, ring = id) => line.add({ id, ring, isPartial: true }),
    done: (id: number) => line.answered(id, { gaveUp: false }),
    gaveUp: (id: number) => line.answered(id, { gaveUp: true }),
  }
}

describe('the line before the recogniser', () => {
  it('lets one at a time to the thread, in order', () => {
    const { seen, final, done } = setup()
    for (const id of [1, 2, 3]) final(id)
    expect(seen()).toEqual(['start 1'])
    expect([done(1), done(2), done(3)]).toEqual([true, true, true])
    expect(seen()).toEqual(['start 2', 'start 3'])
  })

  it('takes texts that are waited for before partial ones', () => {
    const { seen, final, partial, done } = setup()
    final(1)
    partial(2)
    partial(3)
    final(4)
    done(1)
    done(4)
    done(2)
    expect(seen()).toEqual(['start 1', 'start 4', 'start 2', 'start 3'])
  })

  it('drops a partial text that a later request of the same speech overtakes', () => {
    const { seen, final, partial, done } = setup()
    final(1)
    partial(2, 7)
    partial(3, 7)
    expect(seen()).toEqual(['start 1', 'overtaken 2'])
    final(4, 7)
    expect(seen()).toEqual(['overtaken 3'])
    done(1)
    expect(seen()).toEqual(['start 4'])
  })

  it('lets a partial text that runs finish before a later partial one', () => {
    const { seen, partial, done } = setup()
    partial(1, 7)
    partial(2, 7)
    expect(done(1)).toBe(true)
    expect(seen()).toEqual(['start 1', 'start 2'])
  })

  it('stops a partial text of the same speech for the whole one', () => {
    const { seen, final, partial, gaveUp } = setup()
    partial(1, 7)
    final(2, 7)
    expect(seen()).toEqual(['start 1', 'stop 1', 'overtaken 1'])
    expect(gaveUp(1)).toBe(false)
    expect(seen()).toEqual(['start 2'])
  })

  it("stops another call's partial text, and begins it anew behind the whole ones", () => {
    const { seen, final, partial, done, gaveUp } = setup()
    partial(1)
    final(2)
    final(3)
    expect(seen()).toEqual(['start 1', 'stop 1'])
    expect(gaveUp(1)).toBe(false)
    done(2)
    done(3)
    expect(seen()).toEqual(['start 2', 'start 3', 'start 1'])
    expect(done(1)).toBe(true)
  })

  it('keeps the text of a partial one that was done before it could be stopped', () => {
    const { seen, final, partial, done } = setup()
    partial(1)
    final(2)
    expect(done(1)).toBe(true)
    expect(seen()).toEqual(['start 1', 'stop 1', 'start 2'])
  })

  it('does not begin anew what was overtaken while it was being stopped', () => {
    const { seen, final, partial, done, gaveUp } = setup()
    partial(1, 7)
    final(2)
    partial(3, 7)
    gaveUp(1)
    expect(seen()).toEqual(['start 1', 'stop 1', 'overtaken 1', 'start 2'])
    done(2)
    expect(seen()).toEqual(['start 3'])
  })

  it('forgets what nobody waits for, and stops it where it runs', () => {
    const { line, seen, final, done, gaveUp } = setup()
    for (const id of [1, 2, 3]) final(id)
    line.remove(2)
    line.remove(1)
    expect(gaveUp(1)).toBe(false)
    expect(seen()).toEqual(['start 1', 'stop 1', 'start 3'])
    expect(done(9)).toBe(false)
    expect(done(3)).toBe(true)
  })

  it('is empty after the thread was lost', () => {
    const { line, seen, final, done } = setup()
    final(1)
    final(2)
    line.clear()
    expect(done(1)).toBe(false)
    final(3)
    expect(seen()).toEqual(['start 1', 'start 3'])
  })
})
