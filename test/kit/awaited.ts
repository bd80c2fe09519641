/** Waits until `holds` does, asking every 20 ms. Throws when that takes longer than `withinMs`, naming `what`. */
export async function awaited(
  what: string | (() => string),
  withinMs: number,
  holds: () => boolean | Promise<boolean>,
): Promise<void> {
  const deadline = performance.now() + withinMs
  while (!(await holds())) {
    if (performance.now() > deadline)
      throw new Error(
        `waited ${withinMs} ms in vain for ${typeof what === 'string' ? what : what()}`,
      )
    await Bun.sleep(20)
  }
}
