/** E.164 on the raw string: nothing is repaired, so that what was asked is what is dialled. */
export function isPhoneNumber(value: string): boolean {
  return /^\+[1-9]\d{6,14}$/.test(value)
}

/** `+1555…67`: enough to tell numbers apart in a log, too little to call them. */
export function maskNumber(value: string): string {
  return value.length < 8 ? '…' : `${value.slice(0, 5)}…${value.slice(-2)}`
}

/** The longest of `prefixes` that `number` begins with. */
export function longestPrefix(number: string, prefixes: readonly string[]): string | undefined {
  let best: string | undefined
  for (const prefix of prefixes)
    if (number.startsWith(prefix) && prefix.length > (best?.length ?? -1)) best = prefix
  return best
}
