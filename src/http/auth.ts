import ipaddr from 'ipaddr.js'
import { AppError } from '../core/errors.ts'
import { SlidingWindow } from './rate-limit.ts'
import type { ApiServices } from './services.ts'

/** Longer than any key; what is longer is not even hashed. */
const MAX_KEY_LENGTH = 128
const WRONG_KEYS_A_MINUTE = 20

export interface Auth {
  /**
   * The id of the key in the X-API-Key header. Throws unauthorized, the same for whatever is wrong with it, or
   * rate_limited after too many wrong keys from one address. A right key always passes: who shares an address with a
   * guesser is not shut out, and 256 random bits are not guessed.
   */
  identify(request: Request, address: string): Promise<string>
  /** The one answer to every missing or wrong key. */
  refusal(): AppError
}

export function createAuth(d: Pick<ApiServices, 'clock' | 'authenticate'>): Auth {
  const wrongKeys = new SlidingWindow({ max: WRONG_KEYS_A_MINUTE, windowMs: 60_000 })

  return {
    refusal: unauthorized,
    async identify(request, address) {
      // A header given twice arrives joined by a comma, which no key contains.
      const key = request.headers.get('x-api-key') ?? ''
      if (key === '') throw unauthorized()
      const found = key.length <= MAX_KEY_LENGTH ? await d.authenticate(key) : null
      if (found) return found.keyId
      const retryAfterSeconds = wrongKeys.take(networkOf(address), d.clock.steady())
      if (retryAfterSeconds === null) throw unauthorized()
      throw new AppError(
        'rate_limited',
        'Too many wrong API keys from this address. Wait a minute.',
        {
          retryAfterSeconds,
        },
      )
    },
  }
}

/** What one party is likely to hold: an IPv4 address, or the /64 of an IPv6 one. */
function networkOf(address: string): string {
  if (!ipaddr.isValid(address)) return address
  const parsed = ipaddr.process(address)
  if (parsed.kind() === 'ipv4') return parsed.toString()
  return parsed.toByteArray().slice(0, 8).join('.')
}

function unauthorized(): AppError {
  return new AppError(
    'unauthorized',
    'Missing or invalid API key. Send one in the X-API-Key header; `landline keys create` makes one.',
  )
}
