import { describe, expect, it } from 'vitest'
import { sendDatagram } from './send-datagram.ts'

/** A socket whose sends throw these codes, one after the other, and then work. */
function setup(...codes: string[]) {
  const sent: number[][] = []
  const told: unknown[] = []
  const socket = {
    send(data: Uint8Array): boolean {
      const code = codes.shift()
      if (code !== undefined) throw Object.assign(new Error(code), { code })
      sent.push([...data])
      return true
    },
  }
  const send = () =>
    sendDatagram(socket, Uint8Array.of(7), { port: 9, host: '127.0.0.1' }, (e) => told.push(e))
  return { sent, told, send }
}

describe('sendDatagram', () => {
  it('sends once', () => {
    const { sent, told, send } = setup()
    expect(send()).toBe(true)
    expect(sent).toEqual([[7]])
    expect(told).toEqual([])
  })

  it('sends again what a left-over refusal kept back, and tells of it', () => {
    const { sent, told, send } = setup('ECONNREFUSED')
    expect(send()).toBe(true)
    expect(sent).toEqual([[7]])
    expect(told).toMatchObject([{ code: 'ECONNREFUSED' }])
  })

  it('throws when it is refused twice, or for another reason', () => {
    expect(setup('ECONNREFUSED', 'ECONNREFUSED').send).toThrow('ECONNREFUSED')
    const other = setup('ENETUNREACH')
    expect(other.send).toThrow('ENETUNREACH')
    expect(other.told).toEqual([])
  })
})
