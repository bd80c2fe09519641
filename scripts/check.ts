/** `bun run check`: format, lint, types, floors. Stops at the first that fails. */
import { installDependencies, run } from './set-up.ts'

installDependencies('all')
run('format and lint', ['node_modules/.bin/biome', 'check', '.'])
run('types', ['node_modules/.bin/tsc', '--noEmit'])
run('floors', ['node_modules/.bin/vitest', 'run', '--project', 'logic', 'test/floors.test.ts'])
