/** Run as a process of its own: makes and settles calls without pause, and says so only when a promise resolved. */
import { randomBytes } from 'node:crypto'
import { writeSync } from 'node:fs'
import { systemClock } from '../../src/core/clock.ts'
import { createIds } from '../../src/core/ids.ts'
import { silentLog } from '../../src/core/log.ts'
import { openStorage } from '../../src/storage/open.ts'

async function work(path: string): Promise<void> {
  const clock = systemClock
  const ids = createIds(clock, randomBytes)
  const storage = openStorage({
    path,
    clock,
    ids,
    log: silentLog,
    initialCreditCents: 500,
    accountName: 'Owner',
  })
  // Written at once: what this process says it has said before it dies.
  const say = (what: string, id: string): void => void writeSync(1, `${what} ${id}\n`)
  const road = async (i: number): Promise<void> => {
    for (;;) {
      const id = ids.uuid()
      const now = clock.now()
      await storage.calls.create({
        call: {
          id,
          direction: 'outbound',
          status: 'initiated',
          endReason: null,
          sipCode: null,
          toNumber: `+1${ids.fraction().toFixed(13).slice(2)}`,
          fromNumber: '+15559876543',
          instructions: `line ${i}`,
          firstMessage: null,
          name: null,
          metadata: null,
          maxDurationSeconds: 600,
          callAt: null,
          transferTo: null,
          voicemail: null,
          attempt: 1,
          maxAttempts: 1,
          retryDelaySeconds: 300,
          centsPerMinute: 1,
          holdCents: 1,
          summary: null,
          costCents: 0,
          durationSeconds: 0,
          createdAt: now,
          startedAt: null,
          endedAt: null,
          heartbeatAt: null,
        },
        runAt: now,
        idempotency: { keyId: 'key', key: id, bodyHash: 'hash' },
        response: id,
        checkBalance: false,
        maxQueued: 1_000_000,
        overRate: false,
        now,
      })
      say('created', id)
      await storage.calls.appendTurn(id, { index: 0, role: 'agent', text: 'Hello', at: now })
      say('spoken', id)
      await storage.calls.settle(id, {
        settlement: {
          status: 'failed',
          endReason: 'interrupted',
          sipCode: null,
          reason: null,
          summary: null,
          costCents: 3,
          durationSeconds: 0,
          endedAt: clock.now(),
        },
        guard: ['initiated'],
        fence: null,
        charge: true,
        payload: () => ({ event: 'call.completed', body: id }),
        endEvent: () => ({ id }),
      })
      say('settled', id)
    }
  }
  await Promise.all(Array.from({ length: 6 }, (_, i) => road(i)))
}

void work(process.argv[2] ?? '')
