import { describe, expect, it } from 'vitest'
import type { AttemptTrace } from '../../src/calls/call-trace.ts'
import {
  answeredCall,
  type OpenStores,
  type StoresUnderTest,
  settle,
  withStores,
} from './stores.ts'

export function exerciseCallTraces(open: OpenStores): void {
  const check = (title: string, use: (s: StoresUnderTest) => Promise<void>): void =>
    it(title, () => withStores(open, use))

  const trace = (attempt: number, ...summaries: string[]): AttemptTrace => ({
    attempt,
    messages: summaries.map((summary, n) => ({
      ...{ at: 1_774_031_400_000 + n, direction: 'sent', trunk: 'main', transport: 'TLS' },
      ...{
        remote: '192.0.2.1:5061',
        summary,
        text: `${summary} sip:x\r\nZoë: "\u0000"`,
        repeated: n,
      },
    })),
    omitted: 3,
    media: null,
  })

  describe('traces', () => {
    check('come back as they were kept, in the order of the attempts', async (s) => {
      const { call } = await answeredCall(s)
      await s.calls.saveTrace(call.id, trace(2, 'INVITE', 'ACK'))
      await s.calls.saveTrace(call.id, trace(1, 'INVITE'))
      expect(await s.calls.traces(call.id)).toEqual([trace(1, 'INVITE'), trace(2, 'INVITE', 'ACK')])
      const other = await answeredCall(s)
      expect(await s.calls.traces(other.call.id)).toEqual([])
    })

    check(
      'replace what was kept of the same attempt, also after the call was settled',
      async (s) => {
        const { call, fence } = await answeredCall(s)
        await s.calls.saveTrace(call.id, trace(1, 'INVITE'))
        const settled = await settle(s, call.id, { fence })
        await s.calls.saveTrace(call.id, trace(1, 'INVITE', 'BYE'))
        expect(await s.calls.traces(call.id)).toEqual([trace(1, 'INVITE', 'BYE')])
        expect(await s.calls.get(call.id)).toEqual(settled)
      },
    )

    check('are refused for a call that is not there', async (s) => {
      const nobody = s.ids.uuid()
      await expect(s.calls.saveTrace(nobody, trace(1, 'INVITE'))).rejects.toMatchObject({
        code: 'not_found',
      })
      expect(await s.calls.traces(nobody)).toEqual([])
    })
  })
}
