/** Who is called for which scene, with what request, and what the agent goes by. */
import type { Scene } from './scene.ts'

export interface Role {
  scene: Scene
  /** E.164; one for each scene. */
  number: string
  /** The body of POST /calls. */
  request: Record<string, unknown>
}

/** No call of the gym lasts longer. */
export const MAX_CALL_SECONDS = 100
const FIRST_NUMBER = 1_555_234_1000

/** `script` is a dialogue file for the agent of all scenes: each scene's rules hold for its task alone. */
export function cast(scenes: readonly Scene[]): { roles: Role[]; script: string } {
  const roles = scenes.map((scene, i): Role => {
    const number = `+${FIRST_NUMBER + i}`
    const request = {
      phoneNumber: number,
      instructions: `Scene ${scene.name}: the other side ${scene.about}.`,
      maxDuration: MAX_CALL_SECONDS,
      ...(scene.firstMessage === null ? {} : { firstMessage: scene.firstMessage }),
      ...scene.request,
    }
    return { scene, number, request }
  })
  const rules = scenes.map(
    ({ name, agent }) =>
      `task /\\bscene ${name}:/\n${agent}\nsummary\n  say The scene ${name} was played.\n`,
  )
  return { roles, script: rules.join('\n') }
}
