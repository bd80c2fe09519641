import { describe, expect, it } from 'vitest'
import { allScenes } from './all-scenes.ts'
import { cast } from './cast.ts'
import { parseScene } from './scene.ts'

describe('a scene file', () => {
  it('is read by its parts', () => {
    const text = `# how it goes
about is a voicemail
first message Hi, it's me.   # says who
request {"voicemail": "continue"}
beside

[callee]
say Leave a message.
tone 1000hz 400ms

[agent]
default
  say Sorry?

[must]
gap p95 2s
words wrong 1
agent never says the end
`
    expect(parseScene('x', text)).toEqual({
      name: 'x',
      about: 'is a voicemail',
      firstMessage: "Hi, it's me.",
      request: { voicemail: 'continue' },
      beside: true,
      refuse: null,
      callee: {
        answerAfterMs: 500,
        patienceMs: 600,
        steps: [
          { step: 'say', text: 'Leave a message.' },
          { step: 'tone', hz: 1000, ms: 400 },
        ],
      },
      agent: '\ndefault\n  say Sorry?\n',
      demands: [
        { must: 'gap p95', ms: 2000 },
        { must: 'words wrong', count: 1 },
        { must: 'agent never says', text: 'the end' },
      ],
    })
  })

  it.each([
    ['colour red', "scene x: 'colour red' is nothing that a scene begins with"],
    ['request {', 'scene x: '],
    ['refuse 200', "scene x: 'refuse 200'"],
    ['[callee]\nsing', "scene x: dialogue line 2: 'sing' is no step"],
    ['[must]\nbe nice', "scene x: 'be nice' is nothing that can be demanded"],
  ])('refuses %j and says why', (text, reason) => {
    expect(() => parseScene('x', text)).toThrow(reason)
  })
})

describe('the cast', () => {
  it('gives each scene a number and a task of its own, by which the script tells them apart', () => {
    const scenes = allScenes()
    const { roles, script } = cast(scenes)
    expect(new Set(roles.map(({ number }) => number)).size).toBe(scenes.length)
    for (const { scene, request } of roles) {
      expect(request.instructions).toContain(`Scene ${scene.name}:`)
      expect(script).toContain(`task /\\bscene ${scene.name}:/`)
    }
  })
})
