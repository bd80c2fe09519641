import { dlopen } from 'bun:ffi'

const PRIO_PROCESS = 0
/** What setpriority(2) takes for the thread that calls it; Linux counts by threads. */
const THIS_THREAD = 0
/** Of -20 to 19, less being more: before the threads of models, behind what the system itself needs. */
const NICE = -10

/**
 * Asks the system to run this thread before others: sound is late after milliseconds, a model's thread is not. It is
 * granted to who has the right to it (root, CAP_SYS_NICE, `LimitNICE=-10` of systemd); for others nothing changes.
 */
export function preferThisThread(): void {
  try {
    const libc = dlopen('libc.so.6', {
      setpriority: { args: ['i32', 'u32', 'i32'], returns: 'i32' },
    })
    libc.symbols.setpriority(PRIO_PROCESS, THIS_THREAD, NICE)
    libc.close()
  } catch {
    // Another C library: sound has to do without.
  }
}
