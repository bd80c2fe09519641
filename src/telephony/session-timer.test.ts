import { describe, expect, it } from 'vitest'
import { SessionTimer } from './session-timer.ts'

const ask = (sessionExpires?: string, o: { minSe?: string; supported?: boolean } = {}) => ({
  sessionExpires,
  minSe: o.minSe,
  supported: o.supported ?? true,
})

describe('a session timer', () => {
  it('asks for half an hour and leaves it to the other side who refreshes', () => {
    expect(new SessionTimer().offerHeaders()).toEqual(['Session-Expires: 1800'])
  })

  it('runs only once it is agreed on', () => {
    const timer = new SessionTimer()
    expect([timer.refreshAt, timer.endAt]).toEqual([Infinity, Infinity])
    timer.confirmed(undefined, 5_000)
    expect([timer.refreshAt, timer.endAt]).toEqual([Infinity, Infinity])
  })

  it('refreshes at half the interval and gives up 32 s before its end', () => {
    const timer = new SessionTimer()
    timer.confirmed('900;refresher=uac', 10_000)
    expect(timer.refreshAt).toBe(10_000 + 450_000)
    expect(timer.endAt).toBe(10_000 + 900_000 - 32_000)
    expect(timer.refreshHeaders()).toEqual([
      'Supported: timer',
      'Session-Expires: 900;refresher=uac',
    ])
  })

  it('gives up a short session a third before its end', () => {
    const timer = new SessionTimer()
    timer.confirmed('90;refresher=uas', 0)
    expect(timer.refreshAt).toBe(Infinity)
    expect(timer.endAt).toBe(60_000)
  })

  it('refreshes by itself when the answer does not say who does', () => {
    const timer = new SessionTimer()
    timer.confirmed('1800', 0)
    expect(timer.refreshAt).toBe(900_000)
  })

  it('is off again when a refresh is confirmed without an interval', () => {
    const timer = new SessionTimer()
    timer.confirmed('900;refresher=uac', 0)
    timer.confirmed(undefined, 450_000)
    expect(timer.endAt).toBe(Infinity)
  })

  it.each(['', 'soon', '-5', '99999999999', ';refresher=uac'])(
    'takes %j for no interval',
    (text) => {
      const timer = new SessionTimer()
      timer.confirmed(text, 0)
      expect(timer.endAt).toBe(Infinity)
    },
  )

  it('keeps a peer that breaks the rules from being refreshed without a pause', () => {
    const timer = new SessionTimer()
    timer.confirmed('0;refresher=uac', 0)
    expect(timer.refreshAt).toBe(1_000)
  })
})

describe('a 422', () => {
  it('makes it ask for what they want at least, and say so', () => {
    const timer = new SessionTimer()
    expect(timer.raise('3600')).toBe(true)
    expect(timer.offerHeaders()).toEqual(['Session-Expires: 3600', 'Min-SE: 3600'])
  })

  it.each([undefined, 'much', '1800', '90', '9999999999'])(
    'that asks for %j is the end',
    (minSe) => {
      expect(new SessionTimer().raise(minSe)).toBe(false)
    },
  )
})

describe('a request of the other side', () => {
  it('is told that they refresh, as they asked', () => {
    const timer = new SessionTimer()
    expect(timer.asked(ask('900;refresher=uac'), 1_000)).toEqual([
      'Require: timer',
      'Session-Expires: 900;refresher=uac',
    ])
    expect(timer.refreshAt).toBe(Infinity)
    expect(timer.endAt).toBe(1_000 + 900_000 - 32_000)
  })

  it('is told that we refresh, as they asked', () => {
    const timer = new SessionTimer()
    expect(timer.asked(ask('900;refresher=uas'), 1_000)).toEqual([
      'Session-Expires: 900;refresher=uas',
    ])
    expect(timer.refreshAt).toBe(451_000)
  })

  it('makes us refresh when a proxy asked and they know nothing of timers', () => {
    const timer = new SessionTimer()
    expect(timer.asked(ask('60', { supported: false, minSe: '120' }), 0)).toEqual([
      'Session-Expires: 120;refresher=uas',
    ])
    expect(timer.refreshAt).toBe(60_000)
  })

  it('is refused when it asks for less than the least, and changes nothing', () => {
    const timer = new SessionTimer()
    timer.asked(ask('900;refresher=uac'), 0)
    expect(timer.tooShort(ask('30'))).toEqual(['Min-SE: 90'])
    expect(timer.tooShort(ask('90'))).toBeNull()
    expect(timer.tooShort(ask('30', { supported: false }))).toBeNull()
    expect(timer.endAt).toBe(868_000)
  })

  it('keeps what was agreed when it knows timers and does not speak of them', () => {
    const timer = new SessionTimer()
    timer.confirmed('600;refresher=uas', 0)
    expect(timer.asked(ask(), 100_000)).toEqual([
      'Require: timer',
      'Session-Expires: 600;refresher=uac',
    ])
    expect(timer.endAt).toBe(100_000 + 600_000 - 32_000)
  })

  it('ends a timer that they have forgotten, but not one that is ours', () => {
    const theirs = new SessionTimer()
    theirs.confirmed('600;refresher=uas', 0)
    expect(theirs.asked(ask(undefined, { supported: false }), 100_000)).toEqual([])
    expect(theirs.endAt).toBe(Infinity)
    const ours = new SessionTimer()
    ours.confirmed('600;refresher=uac', 0)
    ours.asked(ask(undefined, { supported: false }), 100_000)
    expect(ours.refreshAt).toBe(300_000)
  })
})
