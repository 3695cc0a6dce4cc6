import type { WireRequest } from '../transport/wire.ts'
import type { Line } from './call.ts'

/** A request in a provider's own words, for any of its routes. */
export interface ForeignRequest {
  readonly method: WireRequest['method']
  /** As the client wrote it, with its first slash and without a query. */
  readonly path: string
  /** With its `?`; empty where there is none. */
  readonly query: string
  /** Those of the client's that belong to it; lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Uint8Array
}

/** A version as bases end in it, and paths begin with it: `/v1`, `/v1beta`, `/v2alpha1`. */
const VERSION = /^\/v\d+(?:(?:alpha|beta)\d*)?(?=\/|$)/

/** The request at this deployment's base, without credentials. A version that the client wrote stands in the base's place. */
export function foreignRequest({ target: { base } }: Line, request: ForeignRequest): WireRequest {
  const { method, path, query, headers, body } = request
  const last = base.slice(base.lastIndexOf('/'))
  const root = VERSION.test(path) && VERSION.test(last) ? base.slice(0, -last.length) : base
  return { method, url: root + path + query, headers, ...(body !== undefined && { body }) }
}
