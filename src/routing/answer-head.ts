import type { Deployment } from '../core/deployment.ts'
import type { Redact } from '../core/secret.ts'

/** Header names (lower case) and values of an answer to a client. */
export type AnswerHeaders = Readonly<Record<string, string>>

/** Upstream headers that clients get, as they are and as `llm_provider-<name>` (LiteLLM's form). */
const PASSED_HEADERS: ReadonlySet<string> = new Set([
  'apim-request-id',
  'openai-processing-ms',
  'openai-version',
  'request-id',
  'retry-after',
  'retry-after-ms',
  'x-ms-region',
  'x-request-id',
])
const PASSED_PREFIX = 'x-ratelimit-'
/** No honest value of these is longer. */
const MAX_VALUE_CHARS = 512
/** What Node accepts as a header value. */
const WRITABLE_VALUE = /^[\t\u0020-\u007e\u0080-\u00ff]*$/

/** The headers that say who answered; known before the upstream is asked, so that failures carry them too. */
export function routeHeaders(
  asked: string,
  deployment: Deployment,
  base: string,
  dropped: readonly string[],
): AnswerHeaders {
  return {
    'x-litellm-model-id': headerText(deployment.id),
    'x-litellm-model-group': headerText(asked),
    'x-litellm-model-api-base': headerText(deployment.connection.apiBase ?? base),
    ...(dropped.length > 0 && { 'x-pulsegate-dropped-fields': headerText(dropped.join(', ')) }),
  }
}

/** How a request got to the deployment that it is at. */
export interface Detours {
  /** Retries within this group, and how many it may have. */
  readonly retries: number
  readonly maxRetries: number
  /** Groups asked before this one. */
  readonly fallbacks: number
}

/** The headers of a 2xx answer: the route's, and the upstream's of the allow list, redacted. */
export function successHeaders(
  route: AnswerHeaders,
  upstream: AnswerHeaders,
  redact: Redact,
  { retries, maxRetries, fallbacks }: Detours,
): Record<string, string> {
  const headers: Record<string, string> = {
    ...route,
    'x-litellm-attempted-retries': String(retries),
    'x-litellm-attempted-fallbacks': String(fallbacks),
    ...(retries > 0 && { 'x-litellm-max-retries': String(maxRetries) }),
  }
  for (const name in upstream) {
    if (!name.startsWith(PASSED_PREFIX) && !PASSED_HEADERS.has(name)) continue
    const value = upstream[name]
    if (value === undefined || value.length > MAX_VALUE_CHARS || !WRITABLE_VALUE.test(value)) continue
    const safe = redact(value)
    headers[name] = safe
    headers[`llm_provider-${name}`] = safe
  }
  return headers
}

/** Model names may hold any character, header values may not: others are percent-encoded (RFC 9110 §5.5). */
export function headerText(text: string): string {
  const short = text.slice(0, MAX_VALUE_CHARS)
  return /^[\u0020-\u007e]*$/.test(short) ? short : encodeURIComponent(short.toWellFormed())
}
