/** Where a server answers, as the configuration names it. */
export interface ServerBase {
  /** Without the endings, without credentials: paths such as `/v1/models` are appended, and errors may show it. */
  url: string
  /** Headers that every request carries: `authorization` when there is a key, or a name and password in the URL. */
  headers: Record<string, string>
}

/**
 * Reads a server's base URL. A trailing `/` and each of `endings` mean the same as none; a missing scheme is http.
 * Throws an Error that names the URL (less its password) when it is no http or https address.
 */
export function parseServerBase(
  text: string,
  o: { endings: readonly string[]; apiKey?: string | undefined },
): ServerBase {
  const source = text.includes('://') ? text.trim() : `http://${text.trim()}`
  const parsed = URL.canParse(source) ? new URL(source) : undefined
  if (!parsed || !/^https?:$/.test(parsed.protocol))
    throw new Error(`"${text.replace(/\/\/[^/@]*@/, '//')}" is no http or https address`)
  let path = parsed.pathname.replace(/\/+$/, '')
  const ending = o.endings.find((end) => path.endsWith(end))
  if (ending) path = path.slice(0, -ending.length).replace(/\/+$/, '')
  const headers: Record<string, string> = {}
  if (o.apiKey) headers.authorization = `Bearer ${o.apiKey}`
  else if (parsed.username !== '') headers.authorization = `Basic ${credentials(parsed)}`
  return { url: `${parsed.origin}${path}`, headers }
}

function credentials(url: URL): string {
  const text = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`
  return Buffer.from(text).toString('base64')
}
