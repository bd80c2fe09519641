import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Under the data directory. */
const MODELS = 'models'
/** What is not whole yet lies here, under names that no engine takes for a model's. */
const UNFINISHED = '.pull'

export function modelsDir(dataDir: string): string {
  return join(dataDir, MODELS)
}

/** Where the files of a model that is not whole yet lie; made when it is not there. */
export function unfinishedDir(dataDir: string, id: string): string {
  const dir = join(dataDir, MODELS, UNFINISHED, id)
  mkdirSync(dir, { recursive: true })
  return dir
}

/**
 * Puts verified files in their places under the model's directory. A model that was not there appears whole, in one step;
 * into one that was, each file goes in one step, the weights last.
 */
export function install(
  dataDir: string,
  id: string,
  files: readonly { path: string; from: string }[],
): void {
  const target = join(dataDir, MODELS, id)
  const isNew = !existsSync(target)
  const into = isNew ? join(dataDir, MODELS, UNFINISHED, `${id}.whole`) : target
  if (isNew) rmSync(into, { recursive: true, force: true })
  for (const { path, from } of [...files].sort((a, b) => rank(a.path) - rank(b.path))) {
    mkdirSync(dirname(join(into, path)), { recursive: true })
    renameSync(from, join(into, path))
  }
  if (isNew) renameSync(into, target)
  rmSync(join(dataDir, MODELS, UNFINISHED, id), { recursive: true, force: true })
}

function rank(path: string): number {
  return path.endsWith('.onnx') ? 1 : 0
}
