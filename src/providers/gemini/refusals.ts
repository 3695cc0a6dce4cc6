import { isJsonObject, type Json, type JsonObject, parseJson } from '../../core/json.ts'
import type { GatewayError } from '../../core/failure.ts'
import type { WireResponse } from '../../transport/wire.ts'
import { textOf } from '../answer.ts'
import { createClassify, type RefusalRule } from '../classify.ts'
import { bodyText } from '../error-facts.ts'

/** What Google's refusals mean beyond the common table (https://ai.google.dev/gemini-api/docs/troubleshooting). */
const RULES: readonly RefusalRule[] = [
  { statuses: [400, 401, 403], text: /api key (not (found|valid)|expired|invalid)/i, kind: 'auth' },
  { statuses: [400], text: /location is not supported/i, kind: 'auth' },
  {
    statuses: [429],
    text: /limit: 0\b|prepayment credits are depleted|spending cap|billing account .* (disabled|closed)/i,
    kind: 'quota',
  },
  {
    statuses: [400, 403],
    text: /billing (to be |is not )enabled|requires billing|enable billing/i,
    kind: 'quota',
  },
  // A region that lacks the model says so with a 400.
  {
    statuses: [400],
    text: /(publisher )?model .*(is not (servable|supported|available)|was not found)|not supported in (this )?(region|location)/i,
    kind: 'not_found',
  },
  { statuses: [499], kind: 'timeout' },
]

const usual = createClassify(RULES)
/** A day's quota of which nobody says when it comes back. */
const used = createClassify([{ statuses: [429], kind: 'quota' }])

/**
 * Names what an answer of Google's means. How long to stay away stands in its body
 * (https://cloud.google.com/apis/design/errors, `google.rpc.RetryInfo`); a quota by the day that names no time is used
 * up, one that does comes back, whatever its name says (https://github.com/diegosouzapw/OmniRoute/issues/9504).
 */
export function classifyGoogle(response: WireResponse): GatewayError {
  const details = response.status === 429 || response.status === 503 ? detailsOf(response) : []
  const wait = details.map((one) => secondsOf(one['retryDelay'])).find((one) => one !== undefined)
  if (wait !== undefined && response.headers['retry-after'] === undefined)
    return usual({ ...response, headers: { ...response.headers, 'retry-after': String(wait) } })
  const isKnown = wait !== undefined || response.headers['retry-after'] !== undefined
  return !isKnown && response.status === 429 && details.some(isDaily) ? used(response) : usual(response)
}

function detailsOf(response: WireResponse): readonly JsonObject[] {
  const parsed = parseJson(bodyText(response))
  const body = Array.isArray(parsed) ? parsed[0] : parsed
  const error = isJsonObject(body) ? body['error'] : undefined
  const details: Json | undefined = isJsonObject(error) ? error['details'] : undefined
  return Array.isArray(details) ? details.filter(isJsonObject) : []
}

/** Seconds of a `google.protobuf.Duration`: `36s`, `0.5s`. */
function secondsOf(value: Json | undefined): number | undefined {
  const seconds = /^(\d+(?:\.\d+)?)s$/.exec(textOf(value) ?? '')?.[1]
  return seconds === undefined ? undefined : Number(seconds)
}

/** `google.rpc.QuotaFailure` of a quota by the day. */
function isDaily(detail: JsonObject): boolean {
  const violations: Json | undefined = detail['violations']
  if (!Array.isArray(violations)) return false
  return violations.some((one: Json) => isJsonObject(one) && /PerDay/.test(textOf(one['quotaId']) ?? ''))
}
