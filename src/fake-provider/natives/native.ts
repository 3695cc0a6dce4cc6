import type { IncomingHttpHeaders } from 'node:http'
import type { JsonObject } from '../../core/json.ts'
import type { Form } from '../multipart.ts'
import type { Step } from '../realtime-step.ts'
import type { Reply } from '../reply.ts'

/** A request as a provider with words of its own sees it. */
export interface NativeCall {
  readonly method: string
  /** As it came, order segment and query included: signatures speak of it. */
  readonly url: string
  /** Below `/as-<id>`, percent-encoded as it came, without the query. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  /** The parsed JSON body; absent where there is none or it is no object. */
  readonly json?: JsonObject
  readonly form?: Form
  /** The credentials that are valid; absent: any well-formed one is. */
  readonly keys?: ReadonlySet<string>
}

/**
 * A provider with words of its own, served below `/as-<id>`. It refuses, in its own words, whatever the provider's
 * documentation does not allow.
 */
export interface Native {
  readonly id: string
  /** Paths that are nobody else's: they are served without `/as-<id>` too. Its group `own` is the provider's path. */
  readonly paths?: RegExp
  /** The honest answer, or a refusal. */
  answer(call: NativeCall): Reply
  /** An error that was ordered. */
  error(status: number, message: string, headers: Readonly<Record<string, string>>): Reply
  /** An error that was ordered, as what comes after this event of a stream; undefined: as `error` has it. */
  errorAfter?(event: string | Buffer, message: string): string | Buffer | undefined
  /** How a WebSocket is met, where it serves any: refused, or played step by step. */
  session?(call: NativeCall): Reply | readonly Step[]
}

/** A request and whose words it is in. */
export interface NativeAsked {
  readonly native: Native
  readonly call: NativeCall
}
