import type { GatewayError } from '../core/failure.ts'
import type { Redact } from '../core/secret.ts'
import { OPENAI_ERRORS } from './error-words.ts'
import type { ErrorWords } from './error-words.ts'

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
export function errorAnswer(
  error: GatewayError,
  redact: Redact,
  detail?: Detail,
  words: ErrorWords = OPENAI_ERRORS,
): ErrorAnswer {
  const status = error.clientStatus
  const body = { ...(detail !== undefined && { detail }), ...words.body(errorObject(error, redact), status) }
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

/** A failure as the last event of a stream that had begun: clients raise it. No `[DONE]` follows. */
export function errorEvent(error: GatewayError, redact: Redact, words: ErrorWords = OPENAI_ERRORS): string {
  return words.event(errorObject(error, redact), error.clientStatus)
}
