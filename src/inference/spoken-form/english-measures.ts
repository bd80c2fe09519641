const ONES =
  'first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth'.split(
    ' ',
  )
const TENS: Readonly<Record<number, [string, string]>> = {
  2: ['twenty', 'twentieth'],
  3: ['thirty', 'thirtieth'],
  4: ['forty', 'fortieth'],
  5: ['fifty', 'fiftieth'],
  6: ['sixty', 'sixtieth'],
  7: ['seventy', 'seventieth'],
  8: ['eighty', 'eightieth'],
  9: ['ninety', 'ninetieth'],
}
/** One of it, and several. Case counts: `m` and `M` are not the same. */
const UNITS: Readonly<Record<string, [string, string]>> = {
  kg: ['kilogram', 'kilograms'],
  g: ['gram', 'grams'],
  mg: ['milligram', 'milligrams'],
  lb: ['pound', 'pounds'],
  lbs: ['pound', 'pounds'],
  oz: ['ounce', 'ounces'],
  km: ['kilometer', 'kilometers'],
  m: ['meter', 'meters'],
  cm: ['centimeter', 'centimeters'],
  mm: ['millimeter', 'millimeters'],
  mi: ['mile', 'miles'],
  ft: ['foot', 'feet'],
  yd: ['yard', 'yards'],
  mph: ['mile per hour', 'miles per hour'],
  'km/h': ['kilometer per hour', 'kilometers per hour'],
  kph: ['kilometer per hour', 'kilometers per hour'],
  l: ['liter', 'liters'],
  L: ['liter', 'liters'],
  ml: ['milliliter', 'milliliters'],
  gal: ['gallon', 'gallons'],
  h: ['hour', 'hours'],
  hr: ['hour', 'hours'],
  hrs: ['hour', 'hours'],
  min: ['minute', 'minutes'],
  mins: ['minute', 'minutes'],
  sec: ['second', 'seconds'],
  secs: ['second', 'seconds'],
  ms: ['millisecond', 'milliseconds'],
  KB: ['kilobyte', 'kilobytes'],
  MB: ['megabyte', 'megabytes'],
  GB: ['gigabyte', 'gigabytes'],
  TB: ['terabyte', 'terabytes'],
  kW: ['kilowatt', 'kilowatts'],
  kWh: ['kilowatt hour', 'kilowatt hours'],
  Hz: ['hertz', 'hertz'],
  kHz: ['kilohertz', 'kilohertz'],
  MHz: ['megahertz', 'megahertz'],
}
const SYMBOLS = Object.keys(UNITS).sort((a, b) => b.length - a.length)
const MEASURE = new RegExp(
  `(?<![\\w.,])(\\d[\\d,]*(?:\\.\\d+)?)\\s?(${SYMBOLS.join('|')})(?![\\w/'])(\\.(?=\\s+[a-z]))?`,
  'g',
)
const PER = /(?<=\w)\s?\/\s?(hour|day|week|month|year|night|person|minute|hr|mo|yr)\b/g
const LONG: Readonly<Record<string, string>> = { hr: 'hour', mo: 'month', yr: 'year' }

/** `5 kg` → 5 kilograms; `/month` → per month. */
export function measures(text: string): string {
  return text
    .replace(MEASURE, (_, count: string, symbol: string) => {
      const [one, several] = UNITS[symbol] ?? ['', '']
      return `${count} ${count === '1' ? one : several}`
    })
    .replace(PER, (_, unit: string) => ` per ${LONG[unit] ?? unit}`)
}

/** `1/2` → one half, `2 3/4` → 2 and three quarters, `24/7` → 24 7. */
export function fractions(text: string): string {
  return text
    .replace(/\b24\/7\b/g, '24 7')
    .replace(
      /(?<![\d/.])(?:(\d+)\s)?([1-9])\/(2|3|4|5|8)(?![\d/.]\d|\d|\/)/g,
      (written, whole: string | undefined, over: string, under: string) => {
        if (Number(over) >= Number(under)) return written
        const name = { 2: 'half', 3: 'third', 4: 'quarter', 5: 'fifth', 8: 'eighth' }[under] ?? ''
        const counted = ['', 'one', 'two', 'three', 'four', 'five', 'six', 'seven'][Number(over)]
        const part = over === '1' ? name : `${counted} ${name}s`
        if (whole === undefined) return over === '1' ? `one ${name}` : part
        return `${whole} and ${over === '1' ? `a${name === 'eighth' ? 'n' : ''} ` : ''}${part}`
      },
    )
}

/** `21st` → twenty-first. */
export function ordinals(text: string): string {
  return text.replace(/\b([1-9]\d?)(?:st|nd|rd|th)\b/gi, (written, digits: string) => {
    const value = Number(digits)
    if (value < 20) return ONES[value - 1] ?? written
    const [tens, tenth] = TENS[Math.floor(value / 10)] ?? ['', '']
    return value % 10 === 0 ? tenth : `${tens}-${ONES[(value % 10) - 1]}`
  })
}
