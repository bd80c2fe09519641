import { reasonOf } from './errors.ts'

/** Why an address cannot be listened on, with the setting of `section` that mends it where one does. */
export function listenReason(error: unknown, section: 'http' | 'sip'): string {
  switch ((error as { code?: unknown } | null)?.code) {
    case 'EADDRINUSE':
      return `another program uses that port: stop it, or set ${section}.port to a free one`
    case 'EACCES':
      return `this user may not use that port: set ${section}.port to one above 1023`
    case 'EADDRNOTAVAIL':
      return `this machine has no such address: set ${section}.host to one of its own`
    default:
      return reasonOf(error)
  }
}
