import { entryOf } from '../core/entry-of.ts'
import type { GatewayError } from '../core/failure.ts'

/** The two names that providers give to a token budget. */
export const BUDGET_FIELDS = ['max_tokens', 'max_completion_tokens'] as const
export type BudgetField = (typeof BUDGET_FIELDS)[number]

/** The budgets a probe may ask for, cheapest first. The first is LiteLLM's default too. */
export const BUDGETS = [16, 64, 256] as const

/** What earlier refusals taught us of one deployment. */
export interface Learned {
  readonly budget?: number
  readonly budgetField?: BudgetField | 'none'
  /** Optional fields that the provider does not know. */
  readonly dropped: readonly string[]
  /** Fields that the provider insists on, and what to put there. */
  readonly added: Readonly<Record<string, string>>
}

export const NOTHING_LEARNED: Learned = { dropped: [], added: {} }

/** What of a probe's body a refusal may be about. */
export interface Sent {
  readonly budget?: number
  readonly budgetField?: BudgetField
  /** Every field that the probe could do without, the budget left out. */
  readonly optional: readonly string[]
}

/** What a refusal of our own probe means. */
export type Refusal =
  /** It proves key, route and model all the same. */
  | { readonly kind: 'alive'; readonly note?: 'length' }
  /** Ask once more, like this. */
  | { readonly kind: 'again'; readonly learned: Learned }
  | { readonly kind: 'refused' }

/**
 * The provider ran the model and the reply hit the budget, or the whole window.
 * OpenAI's reasoning models say so with a 400 instead of `finish_reason: length`.
 */
const LIMIT_REACHED = [/output limit was reached/, /max_(completion_)?tokens (limit )?(was|has been) reached/]

/** The model answers streams only. The provider checks this after key, route and model. */
const STREAM_ONLY = [
  /only (supports?|supported|allows?|accepts?|works with)( the)? stream/,
  /only stream(ing|ed)?( mode| requests| responses| output)? (is|are) (supported|allowed)/,
  /stream(ing)?( mode)? is required/,
  /stream[`'"]? ?(must|needs to|has to|should) be (set to )?true/,
  /(requires?|must use|please use|please enable|please set|set) [`'"]?stream(ing)?\b[`'"]?(?! ?options|_options| ?= ?false| to false)/,
  /non-?stream(ing|ed)?( mode| requests?| calls?| responses?| output)? (is|are) (not|un)/,
  /(not|un)supported (for|in) non-?stream/,
  /for non-?streaming (calls|requests)/,
]

/**
 * The model takes or gives sound only. OpenAI says this of its audio models after key, route and model
 * (https://platform.openai.com/docs/guides/audio).
 */
const SOUND_ONLY = [/requires that either input content or output modality contain audio/]

/** The budget is too small. A refusal of one that is too large must not match. */
const BUDGET_TOO_SMALL = [
  /below (the )?minimum/,
  /less than (the )?minimum/,
  /too (small|low|few)/,
  /minimum value/,
  /must be at least/,
  /should be at least/,
  /at least \d+ tokens/,
  /must be (greater|larger|more) than/,
  /greater than or equal to/,
  />= ?\d+/,
  /should be in \[/,
  /range of max_/,
]

/** The field itself is refused, by name or not. */
const UNKNOWN_FIELD = [
  /extra_forbidden/,
  /extra inputs? (are|is) not permitted/,
  /extra fields? not permitted/,
  /additional propert/,
  /unrecogni[sz]ed/,
  /unknown (field|parameter|argument|name|key|property|request argument)/,
  /unexpected (keyword|field|parameter|property|argument)/,
  /unsupported (parameter|value|field|argument|option)/,
  /not (supported|allowed|permitted|accepted|available|a valid|recogni[sz]ed)/,
  /(does|do) not (support|allow|accept|recogni[sz]e)/,
  /(is|are) (unsupported|deprecated|forbidden|invalid)/,
  /no such (field|parameter)/,
  /cannot find field/,
  /invalid (field|parameter|argument)/,
  /use [`'"]?max_/,
]

/**
 * Optional in OpenAI's specification, demanded by some who speak it. NVIDIA's retrieval models refuse an
 * embedding without `input_type` (docs.nvidia.com/nim/nemo-retriever, text-embedding API reference).
 */
const DEMANDED_FIELDS: Readonly<Record<string, string>> = { input_type: 'query' }

const DEMAND = [/required/, /missing/, /must (be|specify|provide|include)/, /please (specify|provide|set)/]

/** Longer error texts are read no further. */
const READ_CHARS = 4_000

/**
 * Reads a 4xx that calls our probe bad. One step at most: the budget climbs to the next rung (or to the
 * rung that holds the minimum which the refusal names), the budget is renamed, or one optional field goes.
 */
export function readRefusal(
  error: Pick<GatewayError, 'kind' | 'message' | 'param'>,
  sent: Sent,
  learned: Learned,
): Refusal {
  if (error.kind !== 'bad_request') return { kind: 'refused' }
  const text = error.message.slice(0, READ_CHARS).toLowerCase()
  if (matches(LIMIT_REACHED, text)) return { kind: 'alive', note: 'length' }
  if (matches(STREAM_ONLY, text) || matches(SOUND_ONLY, text)) return { kind: 'alive' }
  const next =
    climb(text, error.param, sent) ??
    rename(text, error.param, sent) ??
    drop(text, error.param, sent) ??
    add(text, error.param, learned)
  return next === undefined ? { kind: 'refused' } : { kind: 'again', learned: merge(learned, next) }
}

type Lesson =
  | { readonly budget: number }
  | { readonly budgetField: BudgetField | 'none' }
  | { readonly drop: string }
  | { readonly add: string }

function merge(learned: Learned, lesson: Lesson): Learned {
  if ('drop' in lesson) return { ...learned, dropped: [...learned.dropped, lesson.drop] }
  if ('add' in lesson) {
    return {
      ...learned,
      added: { ...learned.added, [lesson.add]: entryOf(DEMANDED_FIELDS, lesson.add) ?? '' },
    }
  }
  return { ...learned, ...lesson }
}

function climb(text: string, param: string | undefined, sent: Sent): Lesson | undefined {
  const { budget } = sent
  if (budget === undefined || !namesBudget(text, param) || !matches(BUDGET_TOO_SMALL, text)) return undefined
  const minimum = namedMinimum(text)
  if (minimum !== undefined && minimum <= budget) return undefined
  const rung = BUDGETS.find((tokens) => tokens > budget && tokens >= (minimum ?? 0))
  return rung === undefined ? undefined : { budget: rung }
}

/** `max_output_tokens` is how OpenAI names the budget when it refuses one in a chat. */
function namesBudget(text: string, param: string | undefined): boolean {
  return /max_(completion_|output_|new_)?tokens|maxoutputtokens|num_predict|output tokens/.test(
    `${param ?? ''} ${text}`,
  )
}

function namedMinimum(text: string): number | undefined {
  const found =
    /(?:>= ?|at least |minimum (?:value )?(?:is |of |allowed is )?|greater than or equal to |should be in \[|range of \S+ (?:should be |is )\[)(\d{1,6})/.exec(
      text,
    )
  if (found?.[1] !== undefined) return Number(found[1])
  const above = /(?:greater|larger|more) than (\d{1,6})/.exec(text)
  return above?.[1] === undefined ? undefined : Number(above[1]) + 1
}

function rename(text: string, param: string | undefined, sent: Sent): Lesson | undefined {
  const { budgetField } = sent
  if (budgetField === undefined || !matches(UNKNOWN_FIELD, text)) return undefined
  const other = budgetField === 'max_tokens' ? 'max_completion_tokens' : 'max_tokens'
  if (names(text, param, budgetField)) return { budgetField: other }
  const isNameless =
    sent.optional.every((field) => !names(text, param, field)) && /extra|additional/.test(text)
  return isNameless && budgetField === 'max_completion_tokens' ? { budgetField: other } : undefined
}

function drop(text: string, param: string | undefined, sent: Sent): Lesson | undefined {
  if (!matches(UNKNOWN_FIELD, text)) return undefined
  const named = sent.optional.find((field) => names(text, param, field))
  return named === undefined ? undefined : { drop: named }
}

function add(text: string, param: string | undefined, learned: Learned): Lesson | undefined {
  if (!matches(DEMAND, text)) return undefined
  const wanted = Object.keys(DEMANDED_FIELDS).find((field) => names(text, param, field))
  return wanted === undefined || wanted in learned.added ? undefined : { add: wanted }
}

/** A field's name as a word of its own: `n` must not be found in every sentence, so short names need quotes. */
function names(text: string, param: string | undefined, field: string): boolean {
  if (param === field) return true
  const name = field.toLowerCase().replaceAll(/[^a-z0-9_]/g, '.')
  const pattern = field.length < 4 ? `[\`'"]${name}[\`'"]` : `(^|[^a-z0-9_])${name}($|[^a-z0-9_])`
  return new RegExp(pattern).test(text)
}

function matches(words: readonly RegExp[], text: string): boolean {
  return words.some((word) => word.test(text))
}
