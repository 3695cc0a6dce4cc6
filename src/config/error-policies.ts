import { didYouMean } from '../core/closest.ts'
import { entryOf } from '../core/entry-of.ts'
import { FAILURE_KINDS, failureRow } from '../core/failure.ts'
import type { FailureKind } from '../core/failure.ts'
import type { Report } from './check.ts'
import { child, entriesOf, kindName, scalarText, toJson, type MapNode, type YamlNode } from './node.ts'
import { problemAt } from './problem.ts'
import { numeric } from './schema-types.ts'

/** A number by kind of failure. */
export type ErrorPolicy = Readonly<Partial<Record<FailureKind, number>>>

/** How the members of a policy end. */
export type PolicyEnding = 'Retries' | 'AllowedFails'

/** LiteLLM's classes of errors, as the kinds they are here; of two that name a kind the later one counts. */
const CLASSES: Readonly<Record<string, readonly FailureKind[]>> = {
  Default: FAILURE_KINDS.filter((kind) => failureRow(kind).tryNext),
  InternalServerError: [
    'server_error',
    'overloaded',
    'unreachable',
    'cut',
    'empty',
    'wrong_shape',
    'wrong_model',
  ],
  AuthenticationError: ['auth'],
  NotFoundError: ['not_found'],
  TimeoutError: ['timeout'],
  RateLimitError: ['rate_limited', 'quota'],
  ServiceUnavailableError: ['overloaded'],
  // What clients are told as 502, and the upstream did not say itself.
  BadGatewayError: ['unreachable', 'cut', 'empty', 'wrong_shape', 'wrong_model'],
  // No number can help: these are the request's own fault, and nobody is blamed for them.
  BadRequestError: [],
  ContentPolicyViolationError: [],
}

/** Why a number for those changes nothing. */
const NO_EFFECT: Readonly<Record<PolicyEnding, string>> = {
  Retries: 'changes nothing: such a request is at fault wherever it goes, and is never tried again',
  AllowedFails:
    'changes nothing: such a request is at fault wherever it goes, and nobody is put aside for it',
}

/** LiteLLM has a number for all other errors among the retries alone; for failures that is `allowed_fails`. */
function namesOf(ending: PolicyEnding): readonly string[] {
  const stems = Object.keys(CLASSES).filter((stem) => stem !== 'Default' || ending === 'Retries')
  return stems.map((stem) => stem + ending)
}

/** `{TimeoutErrorRetries: 0}`, by kind; no number is larger than `most`. */
export function readPolicy(policy: unknown, ending: PolicyEnding, most: number): ErrorPolicy {
  const read: Partial<Record<FailureKind, number>> = {}
  if (typeof policy !== 'object' || policy === null) return read
  const written: ReadonlyMap<string, unknown> = new Map(Object.entries(policy))
  for (const name of namesOf(ending)) {
    const parsed = numeric.safeParse(written.get(name))
    if (!parsed.success || !(parsed.data >= 0)) continue
    for (const kind of entryOf(CLASSES, name.slice(0, -ending.length)) ?? [])
      read[kind] = Math.min(Math.floor(parsed.data), most)
  }
  return read
}

/** Warns of members of policies that name no error, or one that no number helps, and of numbers that are none. */
export function reportPolicies(root: MapNode, report: Report): void {
  for (const block of ['router_settings', 'litellm_settings']) {
    const settings = child(root, block)
    reportPolicy(child(settings, 'retry_policy'), 'Retries', `${block}.retry_policy`, report)
    const fails = child(settings, 'allowed_fails_policy')
    reportPolicy(fails, 'AllowedFails', `${block}.allowed_fails_policy`, report)
  }
  const groups = child(child(root, 'router_settings'), 'model_group_retry_policy')
  for (const { key, value } of entriesOf(groups).values()) {
    const path = `router_settings.model_group_retry_policy.${scalarText(key)}`
    reportPolicy(value, 'Retries', path, report)
  }
}

function reportPolicy(
  policy: YamlNode | undefined,
  ending: PolicyEnding,
  path: string,
  report: Report,
): void {
  const names = namesOf(ending)
  for (const { key, value } of entriesOf(policy).values()) {
    const name = scalarText(key)
    if (!names.includes(name)) {
      const message = `unknown key, ignored${didYouMean(name, names) || `; there are ${names.join(', ')}`}`
      report(problemAt('warning', key, `${path}.${name}`, message))
      continue
    }
    const parsed = numeric.safeParse(toJson(value))
    if (value.kind === 'null') continue
    if (parsed.success && parsed.data >= 0) {
      // No retries is what there is anyway.
      const isAsked = ending === 'AllowedFails' || parsed.data > 0
      if (isAsked && entryOf(CLASSES, name.slice(0, -ending.length))?.length === 0)
        report(problemAt('warning', key, `${path}.${name}`, NO_EFFECT[ending]))
      continue
    }
    const message = `must be a number that is not negative, not ${kindName(value)}; it is ignored`
    report(problemAt('warning', value, `${path}.${name}`, message))
  }
}
