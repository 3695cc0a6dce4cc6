import {
  ALIVE,
  BROKE,
  CROWDED,
  DISTRUSTED,
  FAINT,
  FULL,
  GONE,
  MISSING,
  ODD,
  REFUSED,
  SICK,
  WRONG,
} from './failure-row.ts'
import type { FailureRow } from './failure-row.ts'

/**
 * The one table of failures. What follows from a kind is a column here, never an `if` elsewhere.
 * The names are the `reason` of /health, the `type` of error bodies, and the labels of metrics and history.
 */
const FAILURES = {
  // The upstream answered, and its status passes through to the client.
  auth: {
    client: 'upstream',
    ownStatus: 401,
    tryNext: true,
    evidence: REFUSED,
    fix: 'check the api_key and its permissions',
  },
  quota: {
    client: 'upstream',
    ownStatus: 429,
    tryNext: true,
    evidence: BROKE,
    fix: "top up the provider account's credit or raise its spending limit",
  },
  not_found: {
    client: 'upstream',
    ownStatus: 404,
    tryNext: true,
    evidence: MISSING,
    fix: 'check the model or deployment name and api_base',
  },
  bad_request: {
    client: 'upstream',
    ownStatus: 400,
    tryNext: false,
    evidence: ALIVE,
    fix: 'check model_info.mode and health_check_params: the provider refuses the request itself',
  },
  content_policy: {
    client: 'upstream',
    ownStatus: 400,
    tryNext: false,
    evidence: ALIVE,
    fix: 'the provider refused the content; the model is alive',
  },
  rate_limited: {
    client: 'upstream',
    ownStatus: 429,
    tryNext: true,
    again: true,
    evidence: FULL,
    fix: 'wait for the limit to reset, or add a deployment',
  },
  overloaded: {
    client: 'upstream',
    ownStatus: 503,
    tryNext: true,
    again: true,
    evidence: CROWDED,
    fix: 'the provider is short of capacity; wait, or add a deployment',
  },
  server_error: {
    client: 'upstream',
    ownStatus: 500,
    tryNext: true,
    again: true,
    evidence: SICK,
    fix: "look at the provider's status page",
  },
  // No usable answer: the client gets our own status.
  timeout: {
    client: 504,
    ownStatus: 408,
    tryNext: true,
    again: true,
    evidence: SICK,
    fix: 'the upstream is slow or hangs; raise the timeout if it is merely slow',
  },
  unreachable: {
    client: 502,
    ownStatus: 500,
    tryNext: true,
    again: true,
    evidence: GONE,
    fix: 'check api_base, DNS and the network between here and there',
  },
  tls: {
    client: 502,
    ownStatus: 500,
    tryNext: true,
    evidence: DISTRUSTED,
    fix: "check the upstream's certificate and NODE_EXTRA_CA_CERTS",
  },
  cut: {
    client: 502,
    ownStatus: 500,
    tryNext: true,
    again: true,
    evidence: SICK,
    fix: 'the connection broke in the middle of the answer',
  },
  empty: {
    client: 502,
    ownStatus: 500,
    tryNext: true,
    again: true,
    evidence: FAINT,
    fix: 'the upstream answered 200 with nothing in it',
  },
  wrong_shape: {
    client: 502,
    ownStatus: 500,
    tryNext: true,
    evidence: SICK,
    fix: "check api_base and model_info.mode: the answer is not this mode's",
  },
  wrong_model: {
    client: 502,
    ownStatus: 500,
    tryNext: true,
    evidence: ODD,
    fix: 'the upstream serves another model than the one configured',
  },
  quality: {
    client: 502,
    ownStatus: 500,
    tryNext: true,
    evidence: WRONG,
    fix: 'ask it yourself: another model, damaged weights or a wrong prompt template may stand behind it',
  },
  slow: {
    client: 504,
    ownStatus: 408,
    tryNext: true,
    evidence: ODD,
    fix: 'the upstream answers, but far slower than usual',
  },
  // Ours.
  misconfigured: {
    client: 503,
    ownStatus: 500,
    tryNext: true,
    fix: 'mend config.yaml',
  },
  not_checked_yet: {
    client: 503,
    ownStatus: 500,
    tryNext: true,
    fix: 'wait for the first check',
  },
  checks_disabled: {
    client: 503,
    ownStatus: 500,
    tryNext: true,
    fix: 'this mode or deployment is not probed',
  },
  cancelled: { client: 499, ownStatus: 499, tryNext: false, fix: 'the caller went away' },
  throttled: {
    client: 429,
    ownStatus: 429,
    tryNext: true,
    fix: 'slow down: this is a limit of the gateway',
  },
  none_available: {
    client: 503,
    ownStatus: 503,
    tryNext: false,
    fix: 'see /health for each deployment',
  },
  internal: {
    client: 500,
    ownStatus: 500,
    tryNext: false,
    fix: 'this is a bug in the gateway; please report it',
  },
} as const satisfies Record<string, FailureRow>

/** The name of a way to fail. */
export type FailureKind = keyof typeof FAILURES

/** All kinds, in the table's order. */
export const FAILURE_KINDS: readonly FailureKind[] = Object.keys(FAILURES).filter(isFailureKind)

function isFailureKind(word: string): word is FailureKind {
  return Object.hasOwn(FAILURES, word)
}

/** The row of a kind. */
export function failureRow(kind: FailureKind): FailureRow {
  return FAILURES[kind]
}

/** Who a failure comes from: shown to clients as `x-pulsegate-error-source`. */
export type FailureSource = 'upstream' | 'gateway' | 'client'

/** What a GatewayError may carry besides its kind and message. */
export interface FailureDetails {
  readonly cause?: unknown
  /** The upstream's HTTP status, when one arrived. */
  readonly upstreamStatus?: number
  /** How long the upstream asks us to stay away. */
  readonly retryAfterMs?: number
  /** The request parameter that is at fault, as OpenAI's `param`. */
  readonly param?: string
  /** Overrides the row's status, for failures of the client's making (404, 405, 413). */
  readonly status?: number
  readonly source?: FailureSource
  /** No connection came about: not a byte of the request has left. */
  readonly isUnsent?: boolean
  /** The machine itself said that nobody takes connections there. */
  readonly isRefused?: boolean
  /** The provider says that it concerns all that the key is used for, not this model alone. */
  readonly isKeyWide?: boolean
}

/** The only error that crosses folders. Its message never holds a secret: whoever makes it redacts first. */
export class GatewayError extends Error {
  readonly kind: FailureKind
  readonly upstreamStatus: number | undefined
  readonly retryAfterMs: number | undefined
  readonly param: string | undefined
  readonly source: FailureSource
  /** No connection came about: not a byte of the request has left. */
  readonly isUnsent: boolean
  /** The machine itself said that nobody takes connections there. */
  readonly isRefused: boolean
  /** It concerns all that the key is used for. */
  readonly isKeyWide: boolean
  readonly #status: number | undefined

  constructor(kind: FailureKind, message: string, details: FailureDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = 'GatewayError'
    this.kind = kind
    this.upstreamStatus = details.upstreamStatus
    this.retryAfterMs = details.retryAfterMs
    this.param = details.param
    this.source = details.source ?? 'upstream'
    this.isUnsent = details.isUnsent ?? false
    this.isRefused = details.isRefused ?? false
    this.isKeyWide = details.isKeyWide ?? false
    this.#status = details.status
  }

  /** The HTTP status a client gets. */
  get clientStatus(): number {
    if (this.#status !== undefined) return this.#status
    const row = failureRow(this.kind)
    if (row.client !== 'upstream') return row.client
    return isErrorStatus(this.upstreamStatus) ? this.upstreamStatus : failureRow(this.kind).ownStatus
  }

  /** The `exception_status` of /health: the upstream's error status, else the row's. */
  get exceptionStatus(): number {
    const upstream = this.upstreamStatus
    return isErrorStatus(upstream) ? upstream : failureRow(this.kind).ownStatus
  }
}

/** True of what HTTP has for errors (RFC 9110 §15): clients choke on any other number, which some servers send. */
export function isErrorStatus(status: number | undefined): status is number {
  return status !== undefined && status >= 400 && status <= 599
}

/** Turns anything thrown into a GatewayError: foreign ones become `internal`. */
export function asGatewayError(error: unknown): GatewayError {
  if (error instanceof GatewayError) return error
  return new GatewayError(
    'internal',
    error instanceof Error ? error.message : 'something that is no Error was thrown',
    { cause: error, source: 'gateway' },
  )
}
