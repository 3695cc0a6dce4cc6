import { entryOf } from '../../core/entry-of.ts'
import type { GatewayError } from '../../core/failure.ts'
import { isJsonObject, type JsonObject } from '../../core/json.ts'
import { textOf } from '../answer.ts'
import { createClassify } from '../classify.ts'

/** What Anthropic's refusals mean (https://platform.claude.com/docs/en/api/errors). */
export const classifyAnthropic = createClassify([
  // Limits that the customer has set on what may be spent come back with the month, not with the minute.
  { statuses: [400, 402, 403, 429], code: /^(enforced_)?spend_limit_reached$/, kind: 'quota' },
  { statuses: [400, 403, 429], text: /spend(ing)? limit/i, kind: 'quota' },
  { code: /^billing_error$/, kind: 'quota' },
  { statuses: [400, 403], code: /^organization_on_hold$/, kind: 'auth', isKeyWide: true },
])

/** The statuses that errors would have had, had they come before the answer began. */
const STATUS_OF_TYPE: Readonly<Record<string, number>> = {
  invalid_request_error: 400,
  authentication_error: 401,
  billing_error: 402,
  permission_error: 403,
  not_found_error: 404,
  request_too_large: 413,
  rate_limit_error: 429,
  api_error: 500,
  timeout_error: 504,
  overloaded_error: 529,
}

/** Names an error that came within a 200: as an event of a stream, or in place of the message. */
export function errorWithin(event: JsonObject): GatewayError {
  const error = event['error']
  const type = isJsonObject(error) ? textOf(error['type']) : undefined
  const status = entryOf(STATUS_OF_TYPE, type ?? '') ?? 500
  return classifyAnthropic({ status, headers: {}, body: Buffer.from(JSON.stringify(event)) })
}
