import { afterEach } from 'vitest'

/** Returns a function that takes what is to be done after the test that runs now: last in, first done. */
export function endAfterEach(): (end: () => unknown) => void {
  const ends: (() => unknown)[] = []
  afterEach(async () => {
    const failures: unknown[] = []
    for (const end of ends.splice(0).reverse())
      try {
        await end()
      } catch (error) {
        failures.push(error)
      }
    if (failures.length > 0) throw failures[0]
  })
  return (end) => void ends.push(end)
}
