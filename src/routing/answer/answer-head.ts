import type { Deployment } from '../../core/deployment.ts'
import type { Redact } from '../../core/secret.ts'

/** Header names (lower case) and values of an answer to a client. */
export type AnswerHeaders = Readonly<Record<string, string>>

/** Upstream headers that clients get as they are. */
const PASSED_HEADERS: ReadonlySet<string> = new Set([
  'apim-request-id',
  'openai-processing-ms',
  'openai-version',
  'request-id',
  'retry-after',
  'retry-after-ms',
  'x-amzn-errortype',
  'x-amzn-requestid',
  'x-ms-region',
  'x-request-id',
])
const PASSED_FORMS = /^x-(?:ratelimit|amzn-bedrock)-/
/**
 * Upstream headers of which there is no copy: they speak of one connection or one body (RFC 9110 §7.6.1, §8), ask
 * something of a browser, or may hold a credential.
 */
const NOT_COPIED: ReadonlySet<string> = new Set(
  `connection keep-alive te trailer transfer-encoding upgrade alt-svc nel report-to link age vary etag location
  strict-transport-security authorization www-authenticate authentication-info x-api-key api-key x-goog-api-key
  x-powered-by`.split(/\s+/),
)
const NOT_COPIED_FORMS =
  /^(?:content-|access-control-|proxy-|x-envoy-|x-forwarded-|llm_provider-|x-litellm-|x-pulsegate-)|cookie|secret|password|token$/
/** LiteLLM's form of a copy. */
const COPY_PREFIX = 'llm_provider-'
const MOST_COPIES = 40
const MOST_COPIED_CHARS = 8192
const MAX_NAME_CHARS = 64
/** No honest value is longer. */
const MAX_VALUE_CHARS = 512
/** What Node accepts as a header value. */
const WRITABLE_VALUE = /^[\t\u0020-\u007e\u0080-\u00ff]*$/

/** Names the members of a request that were left out. */
const DROPPED = 'x-pulsegate-dropped-params'

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
    ...(dropped.length > 0 && { [DROPPED]: headerText(dropped.join(', ')) }),
  }
}

/** The same headers once more members turn out to be left out. */
export function alsoDropped(route: AnswerHeaders, names: readonly string[]): AnswerHeaders {
  const before = route[DROPPED]
  const text = headerText(names.join(', '))
  return { ...route, [DROPPED]: before === undefined ? text : `${before}, ${text}` }
}

/** How a request got to the deployment that it is at. */
export interface Detours {
  /** Retries within this group, and how many it may have. */
  readonly retries: number
  readonly maxRetries: number
  /** Groups asked before this one. */
  readonly fallbacks: number
}

/** How long it took to come by an answer, milliseconds, up to its first good bytes. */
export interface Durations {
  readonly wholeMs: number
  /** Without the time that upstreams took. */
  readonly ownMs: number
}

/** The headers of a 2xx answer: the route's, and how it was come by. What the upstream said is copied beside them. */
export function successHeaders(
  route: AnswerHeaders,
  { retries, maxRetries, fallbacks }: Detours,
  durations?: Durations,
): Record<string, string> {
  const headers: Record<string, string> = {
    ...route,
    'x-litellm-attempted-retries': String(retries),
    'x-litellm-attempted-fallbacks': String(fallbacks),
  }
  if (durations !== undefined) {
    headers['x-litellm-response-duration-ms'] = durations.wholeMs.toFixed(3)
    headers['x-litellm-overhead-duration-ms'] = durations.ownMs.toFixed(3)
  }
  if (retries > 0) headers['x-litellm-max-retries'] = String(maxRetries)
  return headers
}

/** What becomes of an upstream's header. */
interface CopyForm {
  /** LiteLLM's name for it. */
  readonly name: string
  /** Clients get it under its own name too. */
  readonly isPassed: boolean
}

/** Copies an upstream's headers, redacted: name and value in turns, none of them twice. */
export type CopyHeaders = (upstream: AnswerHeaders, redact: Redact) => string[]

/** Upstreams use the same few names again and again; more than this many are no such names. */
const MOST_KNOWN_NAMES = 1000

/**
 * LiteLLM copies every header of the upstream as `llm_provider-<name>`; here within bounds, and none that speak of
 * something else than this answer. What becomes of a name is found out once, and whether a secret stands in it: who
 * could write a secret there is whoever was sent it. A list, because objects with so many members of changing names
 * cost more than all the rest of it.
 */
export function createCopyHeaders(): CopyHeaders {
  const known = new Map<string, CopyForm | undefined>()
  const formOf = (name: string, redact: Redact): CopyForm | undefined => {
    const form = known.get(name)
    if (form !== undefined || known.has(name)) return form
    if (known.size >= MOST_KNOWN_NAMES) known.clear()
    const found = redact(name) === name ? copyForm(name) : undefined
    known.set(name, found)
    return found
  }
  return (upstream, redact) => {
    const list: string[] = []
    const values: string[] = []
    let chars = 0
    for (const name in upstream) {
      const form = formOf(name, redact)
      const value = upstream[name]
      if (form === undefined || value === undefined || !isCopied(value)) continue
      chars += name.length + value.length
      if (values.length === MOST_COPIES || chars > MOST_COPIED_CHARS) break
      values.push(value)
      list.push(form.name, value)
      if (form.isPassed) list.push(name, value)
    }
    // In one go, for nearly always there is nothing to redact.
    const text = values.join(' ')
    return redact(text) === text ? list : list.map((each, at) => (at % 2 === 0 ? each : redact(each)))
  }
}

function copyForm(name: string): CopyForm | undefined {
  if (name.length > MAX_NAME_CHARS || NOT_COPIED.has(name) || NOT_COPIED_FORMS.test(name)) return undefined
  return { name: COPY_PREFIX + name, isPassed: PASSED_FORMS.test(name) || PASSED_HEADERS.has(name) }
}

function isCopied(value: string): boolean {
  return value.length <= MAX_VALUE_CHARS && WRITABLE_VALUE.test(value)
}

/** Model names may hold any character, header values may not: others are percent-encoded (RFC 9110 §5.5). */
export function headerText(text: string): string {
  const short = text.slice(0, MAX_VALUE_CHARS)
  return /^[\u0020-\u007e]*$/.test(short) ? short : encodeURIComponent(short.toWellFormed())
}
