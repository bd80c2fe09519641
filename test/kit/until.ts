/** Waits until something holds that a socket or a thread brings about. Throws after two seconds. */
export async function until(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 400; i++) {
    if (holds()) return
    await Bun.sleep(5)
  }
  throw new Error('what was waited for did not come about')
}
