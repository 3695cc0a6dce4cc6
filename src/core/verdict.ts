import type { FailureKind } from './failure.ts'
import type { JsonObject } from './json.ts'

/** What one check of one deployment found out. */
export type Verdict = HealthyVerdict | UnhealthyVerdict

interface VerdictFacts {
  /** When the check ended, milliseconds since 1970. */
  readonly at: number
  /** From the request being written to the verdict, milliseconds; 0 where nothing was sent. */
  readonly latencyMs: number
  /** Upstream requests made: 0, 1 or 2. */
  readonly requests: number
  /** The model asked for, as /health shows it: the configured one, `health_check_model`, or a wildcard's pick. */
  readonly probedModel: string
  /** Response headers of LiteLLM's allow list, redacted. */
  readonly headers: Readonly<Record<string, string>>
  /**
   * For how long checks should leave the provider's allowance of requests to the clients, milliseconds; absent where
   * the answer does not say.
   */
  readonly scarceMs?: number
}

/** The answer is the proof that this mode asks for. */
export interface HealthyVerdict extends VerdictFacts {
  readonly kind: 'healthy'
  /** Set where the provider filtered the probe's answer: alive all the same. */
  readonly note?: 'content_policy' | 'length'
  /** What it was asked has one right answer, and this is it, or not. */
  readonly isRight?: boolean
}

/** The check failed, and how. */
export interface UnhealthyVerdict extends VerdictFacts {
  readonly kind: 'unhealthy'
  readonly reason: FailureKind
  /** Prose, redacted: what was tried, what came back, what to do. */
  readonly error: string
  /** Somebody took the connection, and broke it off: the machine is there. */
  readonly isReached?: true
  /** The machine itself said that nobody takes connections there. */
  readonly isRefused?: true
  /** The provider says that it concerns all that the key is used for. */
  readonly isKeyWide?: true
  /** LiteLLM's `exception_status`. */
  readonly exceptionStatus: number
  /** How long the upstream asks us to stay away, from `at`. */
  readonly retryAfterMs?: number
  /** Our own request, for `raw_request_typed_dict`; absent where nothing was sent. */
  readonly request?: SentRequest
}

/** A probe as it went out, header values hidden. */
export interface SentRequest {
  /** The full URL, query values that are secrets hidden. */
  readonly url: string
  readonly body: JsonObject
  readonly headers: Readonly<Record<string, '[secret]'>>
}
