/** `bun run test [vitest arguments]`: installs, builds the executable that the tests drive, runs all of them. */
import { attempt, installDependencies, run } from './set-up.ts'

installDependencies('all')
run('build', [process.execPath, 'scripts/build.ts'])
process.exit(attempt(['node_modules/.bin/vitest', 'run', ...process.argv.slice(2)]))
