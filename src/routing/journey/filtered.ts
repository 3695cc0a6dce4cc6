import type { Plan } from '../choice/plan.ts'
import { fallbacksFor } from './fallbacks.ts'
import type { FailureWords } from './fallbacks.ts'
import type { Journey } from './journey-parts.ts'
import type { Stay } from './stay.ts'

/** What an answer that a filter cut short would fail with. */
const FILTERED: FailureWords = { kind: 'content_policy', source: 'upstream', message: '' }

/**
 * The plan, and where `content_policy_fallbacks` name somebody who is still to be asked: an answer that a content filter
 * has ended is none, and no more is a stream that it has ended before any content. LiteLLM's rule, for whole answers;
 * elsewhere what the filter left is the answer.
 */
export function heedingFilters(plan: Plan, journey: Journey, { group, depth }: Stay): Plan {
  const { deps, asked, visited } = journey
  const { contentPolicyFallbacks: configured, maxFallbacks } = deps.settings
  const { contentPolicyFallbacks: lists = configured } = asked.read
  const { answer } = plan.operation
  if (lists.size === 0 || depth >= maxFallbacks || answer.kind !== 'object' || answer.proof !== 'choices')
    return plan
  const next = fallbacksFor([group.model, group.name], FILTERED, deps.settings, asked.read)
  const isLeft = next.some(
    ({ model }) => !visited.includes(model) && deps.directory.candidates(model).length > 0,
  )
  return isLeft
    ? { ...plan, operation: { ...plan.operation, answer: { ...answer, heedsFilter: true } } }
    : plan
}
