import { type Command, Option } from 'commander'
import type { SceneReport, SelftestReport, Spread } from './appliance.ts'
import { type CommandContext, type ExitCode, printJson, UsageError, wantsJson } from './command.ts'
import { interruptible } from './interrupt.ts'

interface Options {
  scene?: string[]
  list?: boolean
}

export function addSelftest(program: Command, context: CommandContext): void {
  program
    .command('selftest')
    .description('phone the callee inside in a dozen characters, and measure: no trunk, no network')
    .addOption(new Option('--scene <name...>', 'play these scenes only'))
    .option('--list', 'name the scenes and play none')
    .option('--json', 'print one JSON object at the end')
    .addHelpText('after', HELP)
    .action(context.run((command) => selftest(context, command)))
}

const HELP = `
Times are taken at the callee's socket: "gap" from its last packet with speech to the first of the answer (p50/p95),
"barge-in" from the first packet of an interruption to the last of what it interrupted (p50). The callee speaks with
Flite, is heard by the demo model and answered by a script: this tests the machine and Landline, not your models.
Exit code 0 when every scene passed, 1 when one did not. It takes about two minutes.`

async function selftest(context: CommandContext, command: Command): Promise<ExitCode> {
  const { terminal } = context
  const { scene: names = [], list } = command.opts<Options>()
  const json = wantsJson(command)
  const appliance = await context.appliance()
  const scenes = await appliance.scenes()
  if (list) {
    if (json) printJson(terminal, scenes)
    else for (const scene of scenes) terminal.out(`${scene.name.padEnd(12)} ${scene.about}`)
    return 0
  }
  const unknown = names.find((name) => !scenes.some((scene) => scene.name === name))
  if (unknown !== undefined)
    throw new UsageError(
      `there is no scene '${unknown}'; there are ${scenes.map(({ name }) => name).join(', ')}`,
    )
  const onScene = (scene: SceneReport): void => {
    if (!json) for (const line of sceneLines(scene)) terminal.out(line)
  }
  const { report, whole } = await interruptible(terminal, async (signal) => {
    const options = { scenes: names, onScene, signal, log: terminal.err }
    return { report: await appliance.selftest(options), whole: !signal.aborted }
  })
  if (!whole) terminal.err('landline: ended before all scenes were played')
  if (json) printJson(terminal, report)
  else terminal.out(lastLine(report))
  return report.passed ? 0 : 1
}

function sceneLines(scene: SceneReport): string[] {
  const { gapMs, bargeInMs, goesOnWithinMs, wordsWrong, falseInterruptions } = scene
  const figures = [
    ...(gapMs ? [`gap ${shown(gapMs)} ms`] : []),
    ...(bargeInMs ? [`barge-in ${bargeInMs.p50} ms`] : []),
    ...(goesOnWithinMs ? [`went on after ${goesOnWithinMs.p95} ms`] : []),
    ...(wordsWrong ? [`false interruptions ${falseInterruptions}`] : []),
    ...(wordsWrong ? [`words wrong ${wordsWrong.wrong} of ${wordsWrong.of}`] : []),
    ...(scene.keys === '' ? [] : [`keys ${scene.keys}`]),
    ...(scene.endReason === null ? [scene.status] : [scene.endReason]),
  ]
  return [
    `${scene.passed ? 'passed' : 'FAILED'}  ${scene.name.padEnd(12)} ${figures.join(', ')}`,
    ...scene.problems.map((problem) => `        ${problem}`),
  ]
}

function shown({ p50, p95 }: Spread): string {
  return `${p50}/${p95}`
}

function lastLine({ scenes, gapMs, bargeInMs, seconds, passed }: SelftestReport): string {
  const good = scenes.filter((scene) => scene.passed).length
  const figures = [
    ...(gapMs ? [`gap ${shown(gapMs)} ms`] : []),
    ...(bargeInMs ? [`barge-in ${shown(bargeInMs)} ms`] : []),
  ]
  const word = passed ? 'all passed' : 'not all passed'
  return [`${word}: ${good} of ${scenes.length} scenes in ${seconds} s`, ...figures].join('; ')
}
