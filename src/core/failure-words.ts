import { failureRow } from './failure.ts'
import type { FailureKind } from './failure.ts'

/** What has happened, in words that finish "it is down because …" for somebody who was just woken. */
const WORDS: Readonly<Record<FailureKind, string>> = {
  auth: 'the key was refused',
  quota: 'no credit is left',
  not_found: 'there is no such model or deployment',
  bad_request: 'the request itself was refused',
  content_policy: 'the content was refused',
  rate_limited: 'it asked us to wait (429)',
  overloaded: 'it is short of capacity',
  server_error: 'it answered with an error of its own (5xx)',
  timeout: 'it did not answer in time',
  unreachable: 'no connection could be made',
  tls: 'its certificate is not trusted',
  cut: 'the answer broke off in the middle',
  empty: 'it answered 200 with nothing in it',
  wrong_shape: 'it answered 200 with something that is no answer',
  wrong_model: 'another model answered',
  quality: 'it answers wrongly what it is known to know',
  slow: 'it answers far slower than usual',
  misconfigured: 'the config cannot be acted on',
  not_checked_yet: 'nobody has looked at it yet',
  checks_disabled: 'it is never looked at',
  cancelled: 'the caller went away',
  throttled: 'a limit of the gateway was reached',
  none_available: 'nobody of its group can be asked',
  internal: 'the gateway itself failed',
}

/** Who has to act on a failure. */
export type Blamed = 'host' | 'credential' | 'deployment' | 'caller' | 'gateway'

/** What happened, in a few words. */
export function failureWords(kind: FailureKind): string {
  return WORDS[kind]
}

/** Who is to blame by the kind alone; nobody where a kind is no failure. */
export function blamed(kind: FailureKind): Blamed | undefined {
  if (kind === 'not_checked_yet' || kind === 'checks_disabled') return undefined
  if (kind === 'cancelled') return 'caller'
  const { evidence } = failureRow(kind)
  if (evidence === undefined) return 'gateway'
  return evidence.effect === 'none' ? 'caller' : (evidence.spreads ?? evidence.domain)
}
