/** `bun run build [OUTFILE]`: one executable, `dist/landline`, with its workers, models and native parts inside. */
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { installDependencies, root, run } from './set-up.ts'

installDependencies('production')
run('native parts', [process.execPath, 'scripts/native.ts'])

const outfile = resolve(root, process.argv[2] ?? 'dist/landline')
mkdirSync(dirname(outfile), { recursive: true })
const workers = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('-worker.ts'))
  .map((file) => join('src', file))
  .sort()
run('bun build', [
  process.execPath,
  'build',
  '--compile',
  '--minify',
  '--bytecode',
  '--format=esm',
  '--sourcemap',
  // Without these two a `.env` or a `bunfig.toml` in the working directory could steer the executable.
  '--no-compile-autoload-dotenv',
  '--no-compile-autoload-bunfig',
  // Workers lie beside the main program, where `new URL('./x-worker.ts', import.meta.url)` finds them.
  '--entry-naming=[name].[ext]',
  `--outfile=${outfile}`,
  'src/main.ts',
  ...workers,
])
// The maps are inside the executable too.
for (const file of readdirSync(dirname(outfile)))
  if (file.endsWith('.map')) rmSync(join(dirname(outfile), file))
console.log(`${outfile}: ${(statSync(outfile).size / 1e6).toFixed(0)} MB`)
