import { entryOf } from '../../core/entry-of.ts'
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import { excludesThoughts } from '../anthropic/sampling.ts'
import { BUDGETS, effortOfBudget, LEAST_BUDGET } from '../anthropic/thinking.ts'
import { claudeVersion } from './model-id.ts'

/** Claudes since this one choose their own budget, by effort (https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-adaptive-thinking.html). */
const FIRST_ADAPTIVE = 406
/** Claudes before this one do not think. */
const FIRST_THINKING = 307
const EFFORTS: ReadonlySet<string> = new Set(['low', 'medium', 'high', 'xhigh', 'max'])

/** What a wish for thoughts comes to, in the words of one family of models. */
export interface Reasoning {
  /** For `additionalModelRequestFields`. */
  readonly fields: JsonObject
  /** For `outputConfig`. */
  readonly effort?: string
  /** Can this model not be told? */
  readonly isDropped: boolean
  /** What is not told, and need not be: who may think as he sees fit does not. */
  readonly hint?: 'thinking.type'
}

const UNTOLD: Reasoning = { fields: {}, isDropped: true }
const NOTHING: Reasoning = { fields: {}, isDropped: false }

/** Claudes since this one refuse a budget. */
const FIRST_WITHOUT_BUDGET = 407

/**
 * Anthropic's own `thinking`, as its model knows it: a budget for those until 4.5, an effort for those since 4.7;
 * undefined where there is none.
 */
export function ownReasoning(
  request: JsonObject,
  name: string,
  most: number | undefined,
  isForced: boolean,
): Reasoning | undefined {
  const { thinking, reasoning_effort: effort } = request
  const version = claudeVersion(name)
  if (thinking == null) return undefined
  if (!isJsonObject(thinking) || version === undefined) return { fields: { thinking }, isDropped: false }
  const { type, budget_tokens: budget, ...rest } = thinking
  if (type === 'enabled' && version >= FIRST_WITHOUT_BUDGET)
    return {
      fields: { thinking: { type: 'adaptive', ...rest } },
      effort: levelOf(effort) ?? effortOfBudget(budget),
      isDropped: false,
    }
  if (type === 'adaptive' && version >= FIRST_THINKING && version < FIRST_ADAPTIVE) {
    const within = toReasoning(typeof effort === 'string' ? effort : 'high', name, most, isForced)
    return within.isDropped || excludesThoughts(request) ? { ...NOTHING, hint: 'thinking.type' } : within
  }
  const beside = version >= FIRST_ADAPTIVE && type !== 'disabled' ? levelOf(effort) : undefined
  return { fields: { thinking }, ...(beside !== undefined && { effort: beside }), isDropped: false }
}

/** An effort in a claude's words. */
function levelOf(effort: Json | undefined): string | undefined {
  const word = effort === 'minimal' ? 'low' : effort
  return typeof word === 'string' && EFFORTS.has(word) ? word : undefined
}

/** Those who know no more than `high`. */
function upToHigh(effort: string): string {
  return effort === 'xhigh' || effort === 'max' ? 'high' : effort
}

/** `reasoning_effort` for a model; `most` is the token budget of the whole answer, `isForced` that it must call a tool. */
export function toReasoning(
  effort: Json | undefined,
  name: string,
  most: number | undefined,
  isForced: boolean,
): Reasoning {
  if (typeof effort !== 'string') return effort == null ? NOTHING : UNTOLD
  if (name.startsWith('openai.')) return { fields: { reasoning_effort: upToHigh(effort) }, isDropped: false }
  if (effort === 'none') return NOTHING
  if (name.startsWith('amazon.nova-2')) {
    const word = effort === 'minimal' ? 'low' : upToHigh(effort)
    return { fields: { reasoningConfig: { type: 'enabled', maxReasoningEffort: word } }, isDropped: false }
  }
  const version = claudeVersion(name)
  // A claude that must call a tool may not think.
  if (version === undefined || version < FIRST_THINKING || isForced) return UNTOLD
  if (version >= FIRST_ADAPTIVE) {
    const word = levelOf(effort)
    if (word === undefined) return UNTOLD
    return { fields: { thinking: { type: 'adaptive' } }, effort: word, isDropped: false }
  }
  // Thoughts count as part of the answer, which must be longer.
  const budget = Math.min(entryOf(BUDGETS, effort) ?? 0, (most ?? Infinity) - 1)
  if (budget < LEAST_BUDGET) return UNTOLD
  return { fields: { thinking: { type: 'enabled', budget_tokens: budget } }, isDropped: false }
}
