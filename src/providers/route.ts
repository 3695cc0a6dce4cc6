/** The base as we keep it: no query, no trailing slash, http or https (WebSocket schemes are turned back). */
export function cleanBase(apiBase: string): string {
  const path = apiBase.split(/[?#]/)[0] ?? ''
  return path.replace(/\/+$/, '').replace(/^ws(s?):/i, 'http$1:')
}

/** True where a request could be sent there. */
export function isHttpUrl(url: string): boolean {
  return /^https?:\/\/[^/]/i.test(url) && URL.canParse(url)
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
