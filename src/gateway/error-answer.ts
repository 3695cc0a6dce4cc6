import type { GatewayError } from '../core/failure.ts'
import type { Redact } from '../core/secret.ts'

/** An error as it goes on the wire. */
export interface ErrorAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** JSON text. */
  readonly body: string
}

/** LiteLLM's second form of an error: a sentence, or an object that holds one. */
export type Detail = string | { readonly error: string }

/** OpenAI's error object; `code` is the status as text, as LiteLLM writes it. */
export interface ErrorObject {
  readonly message: string
  readonly type: string
  readonly param: string | null
  readonly code: string
}

/** The error object of a failure, free of secrets. */
export function errorObject(error: GatewayError, redact: Redact): ErrorObject {
  return {
    message: redact(error.message),
    type: error.kind,
    param: error.param === undefined ? null : redact(error.param),
    code: String(error.clientStatus),
  }
}

/** The whole answer for a failure; `detail` stands beside `error` where LiteLLM's clients look for it. */
export function errorAnswer(error: GatewayError, redact: Redact, detail?: Detail): ErrorAnswer {
  const status = error.clientStatus
  const body = { ...(detail !== undefined && { detail }), error: errorObject(error, redact) }
  return {
    status,
    headers: {
      'content-type': 'application/json',
      'x-pulsegate-error-source': error.source,
      ...(error.retryAfterMs !== undefined && {
        'retry-after': String(Math.ceil(error.retryAfterMs / 1000)),
      }),
      ...(status === 401 && error.source === 'client' && { 'www-authenticate': 'Bearer' }),
    },
    body: JSON.stringify(body),
  }
}

/** A failure as the last event of a stream that had begun: OpenAI's clients raise it. No `[DONE]` follows. */
export function errorEvent(error: GatewayError, redact: Redact): string {
  // The line end closes an event that broke off between two of its lines.
  return `\ndata: ${JSON.stringify({ error: errorObject(error, redact) })}\n\n`
}
