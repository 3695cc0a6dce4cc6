import { entryOf } from '../../core/entry-of.ts'
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import { numberOf } from '../answer.ts'
import { generationOf, unsayable } from './surface.ts'

/** How a model is asked to think; undefined: it cannot be asked for this. */
type Thinking = JsonObject | undefined

/** Efforts in tokens for what thinks by budget: the 2.5 generation (https://ai.google.dev/gemini-api/docs/openai#thinking). */
const BUDGETS: Readonly<Record<string, number>> = { minimal: 1_024, low: 1_024, medium: 8_192, high: 24_576 }
/** The largest budgets (https://ai.google.dev/gemini-api/docs/thinking#set-budget). */
const MOST = { pro: 32_768, other: 24_576 } as const

const EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const
type Effort = (typeof EFFORTS)[number]

/**
 * OpenAI's `reasoning_effort` and Anthropic's `thinking` as `thinkingConfig`, and the field that this model has no
 * words for. Whoever asks for thoughts gets to see them.
 */
export function toThinking(
  model: string,
  effort: Json | undefined,
  thinking: Json | undefined,
): { readonly config?: JsonObject; readonly dropped?: string } {
  if (effort !== undefined && effort !== null) {
    if (!isEffort(effort))
      throw unsayable(`'reasoning_effort' must be one of ${EFFORTS.join(', ')}.`, 'reasoning_effort')
    return named(byEffort(model, effort), 'reasoning_effort')
  }
  if (isJsonObject(thinking)) return named(byThinking(model, thinking), 'thinking')
  return {}
}

function isEffort(value: Json): value is Effort {
  return typeof value === 'string' && (EFFORTS as readonly string[]).includes(value)
}

function named(config: Thinking, field: string): { readonly config?: JsonObject; readonly dropped?: string } {
  if (config === undefined) return { dropped: field }
  return Object.keys(config).length === 0 ? {} : { config }
}

function byEffort(model: string, effort: Effort): Thinking {
  if (effort === 'none') return silent(model)
  if (!thinks(model)) return undefined
  const shown = { includeThoughts: true }
  if (isThird(model)) return { thinkingLevel: level(model, effort), ...shown }
  return { thinkingBudget: entryOf(BUDGETS, effort) ?? (isPro(model) ? MOST.pro : MOST.other), ...shown }
}

/** The nearest of the levels that a model of the third generation has. */
function level(model: string, effort: Exclude<Effort, 'none'>): string {
  if (effort === 'xhigh' || effort === 'max') return 'high'
  if (!isPro(model)) return effort
  if (effort === 'minimal') return 'low'
  // Its first Pro knows two of them.
  return effort === 'medium' && generationOf(model) === 3 ? 'high' : effort
}

function byThinking(model: string, thinking: JsonObject): Thinking {
  const { type } = thinking
  if (type === 'disabled') return silent(model)
  if (!thinks(model)) return undefined
  const budget = numberOf(thinking['budget_tokens'])
  return { ...(budget !== undefined && { thinkingBudget: budget }), includeThoughts: true }
}

/** No thoughts at all: not every model can be kept from having them. */
function silent(model: string): Thinking {
  if (!thinks(model)) return {}
  if (isPro(model)) return undefined
  // As near as it comes (https://ai.google.dev/gemini-api/docs/thinking#thinking-levels).
  return isThird(model) ? { thinkingLevel: 'minimal' } : { thinkingBudget: 0 }
}

/** A name that says nothing is a tuned model: those are of the 2.5 generation. */
function thinks(model: string): boolean {
  const generation = generationOf(model)
  return generation === undefined ? !/gemma|gemini-pro|learnlm/.test(model) : generation >= 2.5
}

function isThird(model: string): boolean {
  return (generationOf(model) ?? 0) >= 3
}

function isPro(model: string): boolean {
  return /gemini-[\d.]*-?pro/.test(model)
}
