import { describe, expect, it } from 'vitest'
import { randomSource } from '../../../test/kit/seeded.ts'
import { demoSentences, heardByTelephone, jfk } from '../../../test/kit/speech.ts'
import { decodeG711, encodeG711, pcma } from '../codecs/g711.ts'
import { COLUMNS_HZ, DigitSender, KEYPAD, ROWS_HZ } from './dtmf.ts'
import { ToneReceiver } from './tone-receiver.ts'

interface ToneOptions {
  row?: number
  column?: number
  /** Of the frequency, 0.01 for 1 %. */
  off?: number
  rateHz?: number
}

/** `ms` of the key's two tones, 6000 each unless said otherwise. */
function keyTone(key: string, ms: number, o: ToneOptions = {}): number[] {
  const { row = 6000, column = 6000, off = 0, rateHz = 8000 } = o
  const place = KEYPAD.indexOf(key)
  const turn = (hz: number): number => (2 * Math.PI * hz * (1 + off)) / rateHz
  const low = turn(ROWS_HZ[place >> 2] as number)
  const high = turn(COLUMNS_HZ[place & 3] as number)
  return Array.from(
    { length: (ms * rateHz) / 1000 },
    (_, n) => row * Math.sin(low * n) + column * Math.sin(high * n),
  )
}

const silence = (ms: number, rateHz = 8000): number[] =>
  new Array(Math.round((ms * rateHz) / 1000)).fill(0)

function heard(sound: ArrayLike<number>, rateHz = 8000): string {
  const receiver = new ToneReceiver(rateHz)
  const samples = Int16Array.from(sound, Math.round)
  let keys = ''
  for (let at = 0; at < samples.length; at += 160)
    keys += receiver.push(samples.subarray(at, at + 160))
  return keys
}

/** One key between silences, at every place that it may have within a block. */
function heardAnywhere(key: string, ms: number, o: ToneOptions = {}): string[] {
  return Array.from({ length: 10 }, (_, n) =>
    heard([...silence(50 + n * 1.275), ...keyTone(key, ms, o), ...silence(60)]),
  )
}

describe('ToneReceiver', () => {
  it.each([8000, 16_000])('hears all sixteen keys, each once, at %i Hz', (rateHz) => {
    const sound = [...KEYPAD].flatMap((key) => [
      ...keyTone(key, 50, { rateHz }),
      ...silence(50, rateHz),
    ])
    expect(heard(sound, rateHz)).toBe(KEYPAD)
  })

  it('hears a key that is held for long once, and the same one again after a gap of 40 ms', () => {
    for (let n = 0; n < 10; n++)
      expect(
        heard([...silence(n * 1.3), ...keyTone('5', 2000), ...silence(40), ...keyTone('5', 60)]),
      ).toBe('55')
  })

  it('takes a gap of less than 10 ms for none', () => {
    expect(heard([...keyTone('5', 60), ...silence(8), ...keyTone('5', 60), ...silence(60)])).toBe(
      '5',
    )
  })

  it.each([...KEYPAD])('hears 40 ms of %s wherever they begin, and never 15 ms', (key) => {
    expect(heardAnywhere(key, 40)).toEqual(new Array(10).fill(key))
    expect(heardAnywhere(key, 15)).toEqual(new Array(10).fill(''))
  })

  it.each([...KEYPAD])('hears %s with a twist of 6 dB either way, not with one of 11', (key) => {
    for (const [db, want] of [
      [6, key],
      [-6, key],
      [11, ''],
      [-11, ''],
    ] as const)
      expect(heard([...silence(30), ...keyTone(key, 60, twisted(db)), ...silence(60)])).toBe(want)
  })

  it.each([...KEYPAD])('hears %s 1.5 %% off its frequencies, not 3.5 %%', (key) => {
    for (const off of [0.015, -0.015]) expect(heardAnywhere(key, 60, { off })).toContain(key)
    for (const off of [0.035, -0.035])
      expect(heardAnywhere(key, 60, { off })).toEqual(new Array(10).fill(''))
  })

  it('hears keys 12 dB above noise, and in A-law', () => {
    const random = randomSource(4)
    const sound = [...KEYPAD].flatMap((key) => [...keyTone(key, 60), ...silence(60)])
    const rms = 6000 / 4
    const noisy = sound.map((sample) => sample + rms * Math.sqrt(3) * (2 * random() - 1))
    const coded = new Uint8Array(noisy.length)
    encodeG711(pcma, Int16Array.from(noisy), coded, 0)
    expect(heard(decodeG711(pcma, coded))).toBe(KEYPAD)
  })

  it('hears what we press ourselves', () => {
    const sender = new DigitSender()
    sender.press('0123456789*#ABCD', { asEvents: false, done: () => undefined })
    const sound: number[] = []
    for (let frame = sender.next(20, 8000); frame; frame = sender.next(20, 8000))
      sound.push(...(frame.kind === 'tone' ? frame.samples : silence(20)))
    expect(heard(sound)).toBe('0123456789*#ABCD')
  })

  it.each([0.5, 1, 3])('takes no speech for a key, %d times as loud as it was recorded', (gain) => {
    const louder = (samples: Int16Array): number[] =>
      Array.from(samples, (sample) => Math.max(-32_768, Math.min(32_767, sample * gain)))
    expect(heard(louder(jfk()))).toBe('')
    const spoken = demoSentences().filter(({ kind }) => kind !== 'none')
    expect(spoken.length).toBeGreaterThan(20)
    for (const { file } of spoken)
      expect([file, heard(louder(heardByTelephone(file)))]).toEqual([file, ''])
  })

  it('takes no dial tone, ringing, busy tone, fax or single tone for a key', () => {
    const mix = (...hz: number[]): number[] =>
      Array.from({ length: 16_000 }, (_, n) =>
        hz.reduce((sum, one) => sum + 6000 * Math.sin((2 * Math.PI * one * n) / 8000), 0),
      )
    for (const tones of [[425], [350, 440], [440, 480], [480, 620], [1100], [2100], [697], [1336]])
      expect([tones, heard(mix(...tones))]).toEqual([tones, ''])
  })

  it('takes no noise for a key', () => {
    const random = randomSource(8)
    const noise = Array.from({ length: 800_000 }, () => 20_000 * (2 * random() - 1))
    expect(heard(noise)).toBe('')
  })
})

/** The column's tone stronger than the row's by `db`, at -12 dB of full scale the stronger. */
function twisted(db: number): ToneOptions {
  const weaker = 8000 * 10 ** (-Math.abs(db) / 20)
  return db > 0 ? { row: weaker, column: 8000 } : { row: 8000, column: weaker }
}
