import { isJsonObject, type JsonObject, parseJson } from '../core/json.ts'
import type { SentRequest } from '../core/verdict.ts'
import type { WireRequest } from '../transport/wire.ts'
import type { Line } from './call.ts'
import { partNames } from './multipart.ts'

/** The request as /health shows it: every header value hidden, a form as the names of its parts. */
export function sentRequest(line: Line, wire: WireRequest): SentRequest {
  const names = [...Object.keys(wire.headers), ...credentialNames(line)]
  return {
    url: line.redact(wire.url),
    body: shownBody(line, wire),
    headers: Object.fromEntries(names.map((name) => [name, '[secret]' as const])),
  }
}

function credentialNames(line: Line): readonly string[] {
  const authorized = line.authorize({ method: 'GET', url: line.target.base, headers: {} })
  if (!(authorized instanceof Promise)) return Object.keys(authorized.headers)
  // Why credentials cannot be had is heard by whoever sends with them.
  authorized.catch(() => {})
  return []
}

function shownBody(line: Line, wire: WireRequest): JsonObject {
  if (wire.body === undefined) return {}
  if (typeof wire.body !== 'string') return { multipart: partNames(wire.body), bytes: wire.body.length }
  const body = parseJson(line.redact(wire.body))
  return isJsonObject(body) ? body : {}
}
