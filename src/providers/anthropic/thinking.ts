import { entryOf } from '../../core/entry-of.ts'
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import { claudeModel, type ClaudeModel } from './claude-model.ts'
import type { Turn } from './turns.ts'

/** What a request says of thinking, in Anthropic's words. */
export interface ThinkingWords {
  readonly thinking?: JsonObject
  readonly effort?: string
  /** The budget stands for an effort that was asked for as well; without thoughts it means nothing. */
  readonly isEffortSaid?: true
  /** The member that asked for thoughts, where they cannot be told of; `thinking.type` where it only allowed them. */
  readonly lost?: 'thinking.type' | 'reasoning_effort'
}

/** What decides whether it may think. */
export interface ThinkingGround {
  readonly model: string
  /** The client's bound for thinking and answer together; absent: it has none. */
  readonly maxTokens?: number
  /** The answer must begin with a call. */
  readonly isForced: boolean
  /** The client sets what excludes thoughts within a budget: `temperature` and the like. */
  readonly isSampled: boolean
  readonly messages: readonly Turn[]
}

/** Tokens of thought for OpenAI's words, the numbers of LiteLLM; Anthropic takes no fewer than 1,024. */
export const BUDGETS: Readonly<Record<string, number>> = {
  minimal: 1_024,
  low: 1_024,
  medium: 2_048,
  high: 4_096,
  xhigh: 8_192,
  max: 16_384,
}
export const LEAST_BUDGET = 1_024
/** Who thinks as he sees fit does so at the effort `high`. */
const USUAL_BUDGET = 4_096
const NOTHING: ThinkingWords = {}
const LOST: ThinkingWords = { lost: 'reasoning_effort' }

/** `thinking`, which is Anthropic's own word and wins, else OpenAI's `reasoning_effort`. */
export function toThinking(request: JsonObject, ground: ThinkingGround): ThinkingWords {
  const own = request['thinking']
  const effort = request['reasoning_effort']
  const model = claudeModel(ground.model)
  if (isJsonObject(own)) return inItsForm(own, effortIn(request['output_config']) ?? effort, model, ground)
  if (typeof effort !== 'string') return NOTHING
  if (effort === 'none') return silent(model)
  const wanted = entryOf(BUDGETS, effort)
  if (wanted === undefined || model.thinks === 'never') return LOST
  return model.thinks === 'budget' ? budgeted(wanted, ground) : adaptive(effort, model, ground.isForced)
}

/** The tokens that a request sets aside for thinking. */
export function budgetOf({ thinking }: ThinkingWords): number {
  const budget = thinking?.['type'] === 'enabled' ? thinking['budget_tokens'] : undefined
  return typeof budget === 'number' ? budget : 0
}

/**
 * Models until 4.5 think within a budget only, those since 4.7 at a level of effort only, and each refuses the other's
 * words (https://platform.claude.com/docs/en/build-with-claude/adaptive-thinking, read 2026-11-27).
 */
function inItsForm(
  own: JsonObject,
  effort: Json | undefined,
  model: ClaudeModel,
  ground: ThinkingGround,
): ThinkingWords {
  if (own['type'] === 'enabled' && model.refusesBudgets) {
    const asked = isLevel(effort) ? effort : effortOfBudget(own['budget_tokens'])
    const { thinking, ...words } = adaptive(asked, model, ground.isForced)
    const { display } = own
    return {
      ...words,
      ...(thinking && { thinking: { ...thinking, ...(display !== undefined && { display }) } }),
    }
  }
  if (own['type'] === 'adaptive' && model.thinks === 'budget') {
    const wanted = typeof effort === 'string' ? entryOf(BUDGETS, effort) : undefined
    const words = ground.isSampled ? LOST : budgeted(wanted ?? USUAL_BUDGET, ground)
    // Who thinks as he sees fit need not think.
    return { ...words, isEffortSaid: true, ...(words.lost !== undefined && { lost: 'thinking.type' }) }
  }
  // An effort of OpenAI's beside it; one in `output_config` goes out as it is.
  const beside = own['type'] !== 'disabled' && model.knowsEffort && isLevel(effort)
  return { thinking: own, ...(beside && { effort: levelOf(effort, model) }) }
}

function isLevel(effort: Json | undefined): effort is string {
  return typeof effort === 'string' && entryOf(BUDGETS, effort) !== undefined
}

function effortIn(config: Json | undefined): Json | undefined {
  return isJsonObject(config) ? config['effort'] : undefined
}

/** LiteLLM's bounds. */
const EFFORTS: readonly (readonly [least: number, effort: string])[] = [
  [10_000, 'high'],
  [5_000, 'medium'],
]

/** How hard somebody thinks who is given so many tokens for it. */
export function effortOfBudget(budget: Json | undefined): string {
  return (typeof budget === 'number' ? EFFORTS.find(([least]) => budget >= least)?.[1] : undefined) ?? 'low'
}

function silent({ silence }: ClaudeModel): ThinkingWords {
  if (silence === undefined) return NOTHING
  return silence === 'impossible' ? LOST : { thinking: { type: silence } }
}

/** Beside a forced call only the effort may be told. Newer models tell no thoughts unless they are asked to. */
function adaptive(effort: string, model: ClaudeModel, isForcedCall: boolean): ThinkingWords {
  const level = levelOf(effort, model)
  return isForcedCall
    ? { effort: level }
    : { effort: level, thinking: { type: 'adaptive', display: 'summarized' } }
}

function levelOf(effort: string, { knowsXhigh }: ClaudeModel): string {
  return effort === 'minimal' ? 'low' : effort === 'xhigh' && !knowsXhigh ? 'max' : effort
}

/**
 * A budget must be below the bound of the whole answer. It goes neither with a forced call nor on with a turn that
 * called tools without thoughts (https://platform.claude.com/docs/en/build-with-claude/extended-thinking).
 */
function budgeted(wanted: number, { maxTokens, isForced, messages }: ThinkingGround): ThinkingWords {
  const budget = maxTokens === undefined ? wanted : Math.min(wanted, maxTokens - 1)
  if (budget < LEAST_BUDGET || isForced || continuesWithoutThoughts(messages)) return LOST
  return { thinking: { type: 'enabled', budget_tokens: budget } }
}

/** Goes a conversation on with the results of tools that were called without a thought? */
export function continuesWithoutThoughts(messages: readonly Turn[]): boolean {
  const results = messages.at(-1)?.content.some(({ type }) => type === 'tool_result') ?? false
  const before = messages.at(-2)?.content[0]?.['type']
  return results && before !== 'thinking' && before !== 'redacted_thinking'
}
