/** Calls a UAS on loopback and prints what it stored, a JSON line each; the test kills it in the middle. */
import { startSipSide, trunkOptions } from './sip-side.ts'

async function main(): Promise<void> {
  const side = await startSipSide([
    trunkOptions(Number(process.argv[2]), { username: 'alice', password: 's3cret' }),
  ])
  const dialed = await side.dial({
    beforeInvite: async (state) => {
      process.stdout.write(`${JSON.stringify(state)}\n`)
    },
  }).dialed
  if ('answered' in dialed) process.stdout.write(`${JSON.stringify(dialed.state)}\n`)
}

void main()
