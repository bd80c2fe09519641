import { describe, expect, it } from 'vitest'
import { createFakeLeg } from '../../test/kit/fake-leg.ts'
import { SimClock } from '../../test/kit/sim-clock.ts'
import { sharedSamples, toSamples } from '../core/pcm.ts'
import { createSpeechQueue, type Line, type SpeechNews, wholeWords } from './speech-queue.ts'

function setup() {
  const clock = new SimClock()
  const leg = createFakeLeg({ clock })
  const news: SpeechNews[] = []
  const queue = createSpeechQueue({
    mouth: leg.mouth,
    rateHz: leg.ears.rateHz,
    on: (each) => news.push(each),
  })
  /** Adds a piece that takes 100 ms a word. */
  const add = (line: Line, text: string): void => {
    line.add(text)
    line.sound(sharedSamples(toSamples(text.split(' ').length * 100)))
    line.done()
  }
  return { clock, leg, news, queue, add }
}

describe('the speech queue', () => {
  it('keeps a line silent until it is released, then sounds it at once and whole', async () => {
    const { clock, leg, news, queue, add } = setup()
    const line = queue.open(1)
    add(line, 'One two.')
    add(line, 'Three four five.')
    line.end()
    await clock.advance(1000)
    expect(leg.queued).toBe(0)
    line.release()
    await clock.advance(1000)
    expect(leg.played.map(({ from }) => from)).toEqual([1000, 1200])
    expect(news).toEqual([
      { type: 'sounding', id: 1, text: 'One two.' },
      { type: 'progress', id: 1, text: 'One two. Three four five.' },
      { type: 'finished', id: 1, text: 'One two. Three four five.', whole: true },
    ])
  })

  it('tells only the whole words that were heard of a line that was stopped', async () => {
    const { clock, news, queue, add } = setup()
    const line = queue.open(1)
    add(line, 'One two.')
    add(line, 'Three four five.')
    line.release()
    await clock.advance(350)
    line.drop()
    await clock.advance(0)
    expect(news.at(-1)).toEqual({ type: 'finished', id: 1, text: 'One two. Three', whole: false })
  })

  it('does not count text whose sound is not made yet', async () => {
    const { clock, news, queue } = setup()
    const line = queue.open(1)
    line.add('One two three four five six seven eight nine ten.')
    line.sound(sharedSamples(toSamples(400)))
    line.release()
    await clock.advance(400)
    line.drop()
    await clock.advance(0)
    expect(news.at(-1)).toMatchObject({ text: 'One' })
  })

  it('takes a line back that waits behind another, and sounds it later from its start', async () => {
    const { clock, leg, news, queue, add } = setup()
    const filler = queue.open(1)
    add(filler, 'One moment please.')
    filler.end()
    filler.release()
    const reply = queue.open(2)
    add(reply, 'Here I am.')
    reply.release()
    await clock.advance(100)
    reply.holdBack()
    await clock.advance(500)
    expect(leg.played).toHaveLength(1)
    reply.end()
    reply.release()
    await clock.advance(500)
    expect(news.at(-1)).toEqual({ type: 'finished', id: 2, text: 'Here I am.', whole: true })
    expect(leg.played.at(-1)?.from).toBe(600)
  })

  it('sounds nothing more of a line once human speech has stopped it', async () => {
    const { clock, leg, news, queue, add } = setup()
    const line = queue.open(1)
    add(line, 'One two three.')
    line.release()
    await clock.advance(120)
    leg.mouth.stop()
    await clock.advance(0)
    add(line, 'Four five six.')
    line.end()
    await clock.advance(1000)
    expect(leg.played).toHaveLength(1)
    expect(news.at(-1)).toMatchObject({ type: 'finished', text: 'One', whole: false })
  })

  it('ends with what is known when the mouth tells nothing', () => {
    const news: SpeechNews[] = []
    const never = new Promise<never>(() => undefined)
    const mouth = {
      enqueue: () => ({ started: never, ended: never }),
      stop: () => undefined,
      resume: () => undefined,
      arm: () => undefined,
    }
    const line = createSpeechQueue({ mouth, rateHz: 8000, on: (each) => news.push(each) }).open(1)
    line.add('Hello.')
    line.sound(sharedSamples(800))
    line.release()
    line.abandon()
    expect(news).toEqual([{ type: 'finished', id: 1, text: '', whole: false }])
  })

  it('cuts between words, never within one', () => {
    const text = 'A large pizza.'
    const cuts = [0, 0.05, 0.1, 0.5, 0.6, 0.99, 1].map((share) => wholeWords(text, share))
    expect(cuts).toEqual(['', '', 'A', 'A large', 'A large', 'A large', text])
  })
})
