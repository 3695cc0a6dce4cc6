import { entryOf } from '../../core/entry-of.ts'
import type { JsonObject } from '../../core/json.ts'
import { numberOf, textOf } from '../answer.ts'

/** Tokens to think with, as LiteLLM counts them. */
const BUDGETS: Readonly<Record<string, number>> = {
  minimal: 1_024,
  low: 1_024,
  medium: 2_048,
  high: 4_096,
  xhigh: 8_192,
  max: 16_384,
}
const LEAST_BUDGET = 1_024
/** For the answer itself, where the request names no bound. */
const ANSWER_TOKENS = 4_096

/**
 * `reasoning_effort` for Claude, which is told a budget instead
 * (https://docs.databricks.com/machine-learning/model-serving/query-reason-models, read 2026-11-27): thought and
 * answer share `max_tokens`, and the thought must leave something. Undefined: as the request says it.
 */
export function thinkingOf(body: JsonObject, model: string): JsonObject | 'impossible' | undefined {
  const effort = textOf(body['reasoning_effort'])
  if (effort === undefined || !/claude/i.test(model)) return undefined
  if (body['thinking'] !== undefined || effort === 'none') return {}
  const wished = entryOf(BUDGETS, effort)
  if (wished === undefined) return 'impossible'
  const most = numberOf(body['max_tokens'])
  if (most === undefined) {
    return { thinking: { type: 'enabled', budget_tokens: wished }, max_tokens: wished + ANSWER_TOKENS }
  }
  if (most <= LEAST_BUDGET) return 'impossible'
  return { thinking: { type: 'enabled', budget_tokens: Math.min(wished, Math.max(LEAST_BUDGET, most >> 1)) } }
}
