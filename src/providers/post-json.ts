import type { JsonObject } from '../core/json.ts'
import type { WireRequest } from '../transport/wire.ts'

/** The headers of every JSON request. */
export const JSON_HEADERS = { accept: 'application/json', 'content-type': 'application/json' } as const

/** A POST with a JSON body. */
export function postJson(url: string, body: JsonObject): WireRequest {
  return { method: 'POST', url, headers: JSON_HEADERS, body: JSON.stringify(body) }
}
