import type { IncomingHttpHeaders } from 'node:http'
import type { JsonObject } from '../core/json.ts'
import { formField } from './multipart.ts'
import type { Form } from './multipart.ts'
import type { NativeAsked } from './natives/native.ts'
import type { Route } from './routes.ts'

/** One request as a route sees it. */
export interface Call {
  readonly route: Route
  readonly method: string
  /** As it came, order segment and query included. */
  readonly url: string
  /** Without the order segment and the query. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  /** The parsed JSON body; absent where there is none or it is no object. */
  readonly json?: JsonObject
  readonly form?: Form
  /** Of a session description. */
  readonly text?: string
  /** The model asked for: body, form, query or path; `m` where none is named. */
  readonly model: string
  /** The file or batch that the path names. */
  readonly id?: string
  /** Present where the path names a provider with words of its own. */
  readonly native?: NativeAsked
}

/** A request header as one string; empty where it is absent. */
export function header(call: Pick<Call, 'headers'>, name: string): string {
  const value = call.headers[name]
  return Array.isArray(value) ? value.join(', ') : (value ?? '')
}

/** True where the client asks for a stream. */
export function wantsStream(call: Call): boolean {
  return call.json?.['stream'] === true || (call.form && formField(call.form, 'stream')) === 'true'
}
