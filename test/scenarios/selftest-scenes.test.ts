import { describe, expect, it } from 'vitest'
import { silentLog } from '../../src/core/log.ts'
import { parseDialogue } from '../../src/inference/llm/dialogue-file.ts'
import { createScriptedModel } from '../../src/inference/llm/scripted-model.ts'
import { allScenes } from '../../src/simulator/all-scenes.ts'
import { createCallee } from '../../src/simulator/callee.ts'
import { cast } from '../../src/simulator/cast.ts'
import { type CalleeFacts, judge, type SceneResult } from '../../src/simulator/judge.ts'
import type { Scene } from '../../src/simulator/scene.ts'
import { appForEachTest } from '../kit/app.ts'
import { createFakeEngines } from '../kit/fake-engines.ts'
import { createFarEnd } from '../kit/far-end.ts'

const start = appForEachTest()

/** Plays a scene of the gym: the whole appliance, its fake trunk, the gym's own callee at the other end. */
async function play(scene: Scene): Promise<SceneResult> {
  const { roles, script } = cast([scene])
  const [role] = roles
  if (!role) throw new Error('no role')
  const dialogue = parseDialogue(script, scene.name)
  const model = createScriptedModel({ dialogue, name: scene.name, log: silentLog })
  const app = await start({ model })
  const { clock } = app
  let callee: CalleeFacts = null
  app.trunk.phone(role.number, {
    answersAfter: scene.callee.answerAfterMs,
    status: scene.refuse ?? 200,
    onAnswer(near) {
      const { speech, voice, textOf } = createFakeEngines({ clock, hear: () => '' })
      const { leg, wire } = createFarEnd(near, { clock, textOf })
      const { answer } = createCallee({ clock, speech, voice, dialogue: scene.callee, mute: false })
      void answer(leg, wire).then((report) => {
        callee = { report, packets: wire.packets() }
      })
    },
  })
  const id = await app.place(role.request)
  const call = await app.ended(id)
  await app.run(1000)
  return judge(scene, call, callee).result
}

describe('the scenes of the gym, on simulated time', () => {
  it.each(allScenes().map((scene) => [scene.name, scene] as const))('%s', async (_, scene) => {
    const result = await play(scene)
    expect(result, JSON.stringify(result.transcript)).toMatchObject({ problems: [], passed: true })
  })
})
