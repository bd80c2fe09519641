/** `bun run bench [name…]`: installs, builds an executable of its own, measures, prints one table. */
import { attempt, installDependencies, run } from './set-up.ts'

// What the tests talk to sipp with is used here too.
installDependencies('all')
run('build', [process.execPath, 'scripts/build.ts', 'dist/bench/landline'])
process.exit(attempt([process.execPath, 'bench/main.ts', ...process.argv.slice(2)]))
