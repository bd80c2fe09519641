/** `bun run demo`: installs, builds, and lets the real executable phone its built-in callee. */
import { attempt, run } from './set-up.ts'

run('build', [process.execPath, 'scripts/build.ts'])
process.exit(attempt(['dist/landline', 'demo', ...process.argv.slice(2)]))
