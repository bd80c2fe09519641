/** Phonemes by the system's espeak-ng: a program of its own, GPL-3.0, never part of Landline. */
import { reasonOf } from '../../core/errors.ts'
import { joinClauses, toClauses } from './clauses.ts'

/** It answers within some milliseconds. */
const TIMEOUT_MS = 5_000
/** Phonemes of the longest phrase are a few kilobytes. */
const MOST_OUTPUT = 256 * 1024

/** Where espeak-ng is; null when the system has none. */
export function findEspeak(path = process.env.PATH ?? ''): string | null {
  return Bun.which('espeak-ng', { PATH: path })
}

/**
 * The phonemes of spoken text in IPA, clause by clause with the marks between them; `tie` joins the parts of one sound.
 * `voice` is espeak-ng's name of a language, such as `en-us`. Blocks its thread. Throws an Error of one sentence.
 */
export function espeakPhonemes(
  program: string,
  o: { text: string; voice: string; tie?: string },
): string {
  const clauses = toClauses(o.text)
  if (clauses.length === 0) return ''
  // A line is a clause, which keeps lines of answers and clauses side by side.
  const answers = run(program, [o.voice, o.tie], clauses.map(({ words }) => words).join('\n'))
  if (answers.length === clauses.length) return joinClauses(clauses, answers)
  // It saw an end of a clause that we did not: clause by clause then.
  const each = clauses.map(({ words }) => run(program, [o.voice, o.tie], words).join(' '))
  return joinClauses(clauses, each)
}

function run(program: string, [voice, tie]: [string, string | undefined], input: string): string[] {
  const options = ['-q', '--ipa', ...(tie === undefined ? [] : [`--tie=${tie}`]), '-v', voice]
  let done: ReturnType<typeof Bun.spawnSync>
  try {
    done = Bun.spawnSync([program, ...options], {
      stdin: Buffer.from(`${input}\n`),
      stdout: 'pipe',
      stderr: 'pipe',
      timeout: TIMEOUT_MS,
      maxBuffer: MOST_OUTPUT,
    })
  } catch (error) {
    throw new Error(`espeak-ng could not be started: ${reasonOf(error)}`)
  }
  if (!done.success) {
    const said = done.stderr?.toString('utf8').trim().split('\n')[0] ?? ''
    throw new Error(
      `espeak-ng failed for the language ${voice}: ${said.slice(0, 200) || 'no answer in time'}`,
    )
  }
  return (
    (done.stdout?.toString('utf8') ?? '')
      .split('\n')
      // `(en)` and `(fr)` tell where it took another language's rules.
      .map((line) => line.replace(/\([a-z-]+\)/g, '').trim())
      .filter((line) => line !== '')
  )
}
