import { systemPlatform } from './cli/platform.ts'
import { runCli } from './cli/program.ts'
import { forgetProxies } from './cli/proxies.ts'
import { systemTerminal } from './cli/terminal.ts'

/** Everything behind the command line is loaded by the first command that needs it. */
function main(): void {
  forgetProxies(process.env)
  const terminal = systemTerminal()
  void runCli(process.argv.slice(2), {
    terminal,
    platform: systemPlatform(),
    appliance: async () => (await import('./appliance.ts')).createAppliance(),
  }).then((code) => terminal.exit(code))
}

main()
