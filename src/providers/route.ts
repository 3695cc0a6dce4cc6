/** The base as we keep it: no query, no trailing slash, http or https (WebSocket schemes are turned back). */
export function cleanBase(apiBase: string): string {
  const path = apiBase.split(/[?#]/)[0] ?? ''
  return path.replace(/\/+$/, '').replace(/^ws(s?):/i, 'http$1:')
}

/** True where a request could be sent there. */
export function isHttpUrl(url: string): boolean {
  return /^https?:\/\/[^/\s]+(?:\/[\u0021-\u00ff]*)?$/i.test(url) && URL.canParse(url)
}

/** `base` + `/route`, or `base` itself where it already ends in the route: people paste whole endpoints. */
export function joinRoute(base: string, route: string): string {
  return base.endsWith(route) ? base : base + route
}

/** `https` → `wss`, `http` → `ws`. */
export function toWebSocket(url: string): string {
  return url.replace(/^http(s?):/i, 'ws$1:')
}

/** Appends a query parameter. */
export function withQuery(url: string, name: string, value: string): string {
  return `${url}${url.includes('?') ? '&' : '?'}${name}=${encodeURIComponent(value)}`
}

/** A version as bases end in it, and paths begin with it: `/v1`, `/v1beta`, `/v2alpha1`. */
const VERSION = /^\/v\d+(?:(?:alpha|beta)\d*)?(?=\/|$)/

/** A path of a provider's below the base. A version that it begins with stands in the place of the base's. */
export function belowBase(base: string, path: string): string {
  const last = base.slice(base.lastIndexOf('/'))
  return VERSION.test(path) && VERSION.test(last) ? base.slice(0, -last.length) + path : base + path
}

/** What somebody has escaped in a path; as it stands where it is no escape. */
export function unescaped(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch (error) {
    if (error instanceof URIError) return text
    throw error
  }
}
