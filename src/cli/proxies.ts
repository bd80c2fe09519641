const PROXIES = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY']

/**
 * Takes the proxies out of the environment, in either case. fetch would hand them what goes to the engines on this very
 * machine: prompts, what people said, keys. Where Landline speaks to is what its configuration names, and nothing between.
 */
export function forgetProxies(env: Record<string, string | undefined>): void {
  for (const name of PROXIES) {
    delete env[name]
    delete env[name.toLowerCase()]
  }
}
