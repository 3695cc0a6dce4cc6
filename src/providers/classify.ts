import { GatewayError, type FailureKind } from '../core/failure.ts'
import type { WireResponse } from '../transport/wire.ts'
import { readError, type ErrorFacts } from './error-facts.ts'
import { retryAfterMs } from './retry-after.ts'

/** One line of the table: every condition that is present must hold; the first line that fits names the failure. */
export interface RefusalRule {
  /** Statuses it is about; absent: any. */
  readonly statuses?: readonly number[]
  /** Against each of the answer's machine words. */
  readonly code?: RegExp
  /** Against its sentence. */
  readonly text?: RegExp
  readonly kind: FailureKind
  /** True: it concerns all that the key is used for, not this model alone. */
  readonly isKeyWide?: true
}

/** Statuses under which providers refuse what was said rather than who said it. */
const REFUSALS = [400, 403, 422] as const
/** Statuses under which providers speak of money. */
const MONEY = [400, 401, 402, 403, 429] as const

/**
 * What answers mean, for every provider. A status alone is not enough: OpenAI says 429 both for "slow down"
 * and for "no credit left" (https://platform.openai.com/docs/guides/error-codes).
 */
const RULES: readonly RefusalRule[] = [
  {
    statuses: REFUSALS,
    code: /^(content_filter|content_policy_violation|moderation_blocked|ResponsibleAIPolicyViolation|content_moderation|safety_violation)$/i,
    kind: 'content_policy',
  },
  {
    statuses: REFUSALS,
    text: /content management policy|content policy|safety system|flagged (by|for|as)|input moderation|requires moderation/i,
    kind: 'content_policy',
  },
  // More tokens in one request than the limit gives a minute: waiting does not help, asking for less does. Counted as
  // a rate limit it would let one client's oversized prompts take the model from everybody.
  { statuses: [413, 429], text: /request too large/i, kind: 'bad_request' },
  // Google's name for a quota that comes back by itself, unless it is none at all.
  { statuses: [429], code: /^RESOURCE_EXHAUSTED$/, text: /limit: 0\b/, kind: 'quota' },
  // Limits of an account, whatever the model: Moonshot's (https://platform.kimi.ai/docs/api/errors) and those of GitHub
  // Models on requests at once; its other limits are a model's.
  {
    statuses: [429],
    text: /reached organization max|exceeded for UserConcurrentRequests/i,
    kind: 'rate_limited',
    isKeyWide: true,
  },
  { statuses: [429, 498], text: /no capacity|capacity exceeded|currently overloaded/i, kind: 'overloaded' },
  { statuses: [429], code: /^ModelNotReadyException/, kind: 'overloaded' },
  { statuses: [429], code: /^RESOURCE_EXHAUSTED$/, kind: 'rate_limited' },
  {
    statuses: MONEY,
    code: /^(insufficient_quota|quota_exceeded|credit_balance_exhausted|billing_hard_limit_reached|billing_not_active|insufficient_balance|insufficient_credits?)$/i,
    kind: 'quota',
  },
  {
    statuses: MONEY,
    text: /exceeded your current quota|insufficient (balance|credit|funds|quota)|credit balance|out of credits|have any credits|specified API usage limits|billing (hard limit|details|is not active)|payment required|account is in arrears/i,
    kind: 'quota',
  },
  { statuses: [402], kind: 'quota' },
  // A key may be good for other models.
  { statuses: [403], code: /^model_not_found$/, kind: 'not_found' },
  { statuses: [401, 403], kind: 'auth' },
  {
    statuses: [400],
    code: /^(invalid_api_key|API_KEY_INVALID|UNAUTHENTICATED|invalid_authentication)$/,
    kind: 'auth',
  },
  {
    statuses: [400],
    text: /(incorrect|invalid|missing) api key|api key (is )?(not valid|invalid|expired)|organization has been disabled|location is not supported/i,
    kind: 'auth',
  },
  { statuses: [404, 410], kind: 'not_found' },
  {
    statuses: [400, 422],
    code: /^(model_not_found|DeploymentNotFound|model_not_available|model_decommissioned|invalid_model)$/i,
    kind: 'not_found',
  },
  {
    statuses: [400],
    text: /on-demand throughput isn.t supported|model identifier is invalid/i,
    kind: 'not_found',
  },
  { statuses: [408, 504], kind: 'timeout' },
  // Bedrock's word for a model that failed behind it.
  { statuses: [424], kind: 'server_error' },
  {
    code: /^(overloaded(_error)?|engine_overloaded|model_overloaded|server_overloaded|NoCapacity|ServerBusy|capacity_exceeded)$/i,
    kind: 'overloaded',
  },
  {
    code: /^(rate_limit(_exceeded|_error|_reached)?|RateLimitReached|too_many_requests)$/i,
    kind: 'rate_limited',
  },
  { statuses: [503, 529], kind: 'overloaded' },
  { statuses: [429], kind: 'rate_limited' },
]

/**
 * A classifier of one provider: its own additions are asked before the common table.
 * The error's message starts with the status and carries the provider's words, unredacted.
 */
export function createClassify(
  additions: readonly RefusalRule[] = [],
): (response: WireResponse) => GatewayError {
  const rules = [...additions, ...RULES]
  return (response) => {
    const { status, headers } = response
    const facts = readError(response)
    const wait = retryAfterMs(status, headers)
    const rule = ruleFor(status, facts, rules)
    return new GatewayError(kindBy(rule, status), refusalWords(status, facts, headers), {
      upstreamStatus: status,
      ...(wait === undefined ? {} : { retryAfterMs: wait }),
      ...(facts.param === undefined ? {} : { param: facts.param }),
      ...(rule?.isKeyWide === undefined ? {} : { isKeyWide: rule.isKeyWide }),
    })
  }
}

/** The kind that a status with these words means, by the common table. */
export function kindOf(status: number, facts: ErrorFacts): FailureKind {
  return kindBy(ruleFor(status, facts, RULES), status)
}

function ruleFor(status: number, facts: ErrorFacts, rules: readonly RefusalRule[]): RefusalRule | undefined {
  return rules.find((rule) => {
    if (rule.statuses !== undefined && !rule.statuses.includes(status)) return false
    if (rule.code !== undefined && !facts.codes.some((code) => rule.code?.test(code))) return false
    return rule.text === undefined || rule.text.test(facts.text)
  })
}

function kindBy(rule: RefusalRule | undefined, status: number): FailureKind {
  if (rule !== undefined) return rule.kind
  if (status >= 500) return 'server_error'
  return status >= 400 ? 'bad_request' : 'wrong_shape'
}

/** The kind that machine words mean where no status stands beside them. A sentence alone is too weak for that. */
export function kindOfCodes({ codes }: Pick<ErrorFacts, 'codes'>): FailureKind {
  const rule = RULES.find(({ code }) => code !== undefined && codes.some((word) => code.test(word)))
  return rule?.kind ?? 'server_error'
}

/** `answered 429 (insufficient_quota): You exceeded …`; a redirect names where it points. */
function refusalWords(status: number, facts: ErrorFacts, headers: Readonly<Record<string, string>>): string {
  if (status >= 300 && status < 400) {
    return `answered ${status}, a redirect to ${placeOf(headers['location'])}; redirects are not followed`
  }
  const code = facts.codes.find((word) => word !== String(status))
  return `answered ${status}${code === undefined ? '' : ` (${code})`}: ${facts.text === '' ? 'nothing in the body' : facts.text}`
}

/** Without its query, which may hold anything. */
function placeOf(location: string | undefined): string {
  return location === undefined ? 'nowhere' : (location.split(/[?#]/)[0] ?? '')
}
