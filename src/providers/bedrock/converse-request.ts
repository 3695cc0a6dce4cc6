import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import type { ChatRequest } from '../../core/mode.ts'
import type { Target } from '../adapter.ts'
import { numberOf, textOf } from '../answer.ts'
import { BETA_MEMBER, betaNames, betasOf } from '../betas.ts'
import { withDefaults } from '../body-defaults.ts'
import { CHANGES_NOTHING, missed } from '../unsaid.ts'
import { CACHE_MARKS, CACHE_TIMES, untold } from '../untold.ts'
import { toAnswerForm } from './answer-form.ts'
import { cachesOf, type Caches } from './caches.ts'
import { toConversation } from './messages.ts'
import { claudeVersion, mayBeClaude } from './model-id.ts'
import { ownReasoning, toReasoning } from './reasoning.ts'
import { toTooling } from './tools.ts'

/** A request in Converse's words, and what it could not be told. */
export interface ConverseBody {
  readonly body: JsonObject
  readonly dropped: readonly string[]
}

/** OpenAI's members that change an answer and that Converse has no word for. */
const LACKS: readonly string[] = [
  'audio',
  'frequency_penalty',
  'function_call',
  'functions',
  'logit_bias',
  'logprobs',
  'modalities',
  'moderation',
  'n',
  'presence_penalty',
  'seed',
  'top_logprobs',
  'verbosity',
  'web_search_options',
]

/** Members that are said elsewhere in the body, or change no answer. */
const SAID: ReadonlySet<string> = new Set([
  ...CHANGES_NOTHING,
  ...LACKS,
  // A header of Anthropic's own API, and a word of InvokeModel's: Converse knows whom it speaks to.
  BETA_MEMBER,
  'anthropic_version',
  'cache_control',
  'max_completion_tokens',
  'max_tokens',
  'messages',
  'model',
  'parallel_tool_calls',
  'reasoning_effort',
  'response_format',
  'stop',
  'stream',
  'temperature',
  'thinking',
  'tool_choice',
  'tools',
  'top_k',
  'top_p',
])
/** Converse's own members, which a client may send beside OpenAI's. */
const OWN = new Set([
  'additionalModelResponseFieldPaths',
  'guardrailConfig',
  'performanceConfig',
  'promptVariables',
  'requestMetadata',
  'serviceTier',
])
/** Converse's own members that OpenAI's are added to. */
const MERGED = new Set(['additionalModelRequestFields', 'inferenceConfig', 'outputConfig'])
/** Who says any of these is asked by Converse. */
export const CONVERSE_WORDS: ReadonlySet<string> = new Set([...OWN, ...MERGED])

/**
 * OpenAI's chat request in Converse's words (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html).
 * What neither knows goes where Bedrock wants what only some models know: into `additionalModelRequestFields`.
 */
export function toConverse(request: ChatRequest, target: Target, name: string): ConverseBody {
  const filled = withDefaults('chat', request, target.bodyDefaults)
  const caches = cachesOf(name)
  const { system, messages, called } = toConversation(request.messages, caches, filled['cache_control'])
  const form = toAnswerForm(filled['response_format'], name)
  const tooling = toTooling(filled, called, form.tool, caches)
  const inferenceConfig = toInference(filled)
  const { maxTokens: most } = inferenceConfig
  const thoughts = ownReasoning(filled, name, most, tooling.isForced)
  const reasoning = thoughts ?? toReasoning(filled['reasoning_effort'], name, most, tooling.isForced)
  const parallel = toParallel(filled, name)
  const others = sorted(filled)
  const betas = mayBeClaude(name) ? betasOf(target, request) : betaNames(request[BETA_MEMBER])
  const model = {
    ...others.fields,
    ...(betas.length > 0 && { [BETA_MEMBER]: betas }),
    ...topK(filled['top_k'], name),
    ...parallel.fields,
    ...reasoning.fields,
  }
  const output = {
    ...(form.textFormat !== undefined && { textFormat: form.textFormat }),
    ...(reasoning.effort !== undefined && { effort: reasoning.effort }),
  }
  const tier = textOf(filled['service_tier'])
  const body = {
    messages,
    ...(system.length > 0 && { system }),
    ...filledPart('inferenceConfig', inferenceConfig, filled['inferenceConfig']),
    ...(tooling.toolConfig !== undefined && { toolConfig: tooling.toolConfig }),
    ...(tier !== undefined && TIERS.has(tier) && { serviceTier: { type: tier } }),
    ...others.own,
    ...filledPart('additionalModelRequestFields', model, filled['additionalModelRequestFields']),
    ...filledPart('outputConfig', output, filled['outputConfig']),
  }
  const dropped = [
    ...missed(filled, LACKS),
    ...tooling.dropped,
    ...untold({ ...filled, messages: request.messages }, toldTo(caches)),
    ...(caches.places === 'none' && isJsonObject(filled['cache_control'])
      ? ['messages[].cache_control']
      : []),
    ...form.hints,
    ...(form.isDropped ? ['response_format'] : []),
    ...(reasoning.isDropped ? [thoughts === undefined ? 'reasoning_effort' : 'thinking'] : []),
    ...(reasoning.hint === undefined ? [] : [reasoning.hint]),
    ...(parallel.isDropped ? ['parallel_tool_calls'] : []),
  ]
  return { body, dropped }
}

const TIERS: ReadonlySet<string> = new Set(['default', 'flex', 'priority'])

/** A member with what is said of it in either's words; none where that is nothing. */
function filledPart(name: string, ours: JsonObject, theirs: Json | undefined): JsonObject {
  const whole = isJsonObject(theirs) ? { ...ours, ...theirs } : ours
  return Object.keys(whole).length === 0 ? {} : { [name]: whole }
}

function toInference(filled: JsonObject): JsonObject & { readonly maxTokens?: number } {
  const maxTokens = numberOf(filled['max_completion_tokens']) ?? numberOf(filled['max_tokens'])
  const { temperature, top_p: topP, stop } = filled
  const stops = typeof stop === 'string' ? [stop] : stop
  return {
    ...(maxTokens !== undefined && { maxTokens }),
    ...(temperature != null && { temperature }),
    ...(topP != null && { topP }),
    ...(Array.isArray(stops) && stops.length > 0 && { stopSequences: stops }),
  }
}

/** Nova has it inside (https://docs.aws.amazon.com/nova/latest/userguide/complete-request-schema.html). */
function topK(value: Json | undefined, name: string): JsonObject {
  if (value == null) return {}
  return name.startsWith('amazon.nova') ? { inferenceConfig: { topK: value } } : { top_k: value }
}

/** Only claudes can be told to call one tool at a time, in Anthropic's words; those take the choice along. */
function toParallel(
  filled: JsonObject,
  name: string,
): { readonly fields: JsonObject; readonly isDropped: boolean } {
  if (filled['parallel_tool_calls'] !== false || !Array.isArray(filled['tools']))
    return { fields: {}, isDropped: false }
  const choice = filled['tool_choice'] ?? 'auto'
  const type = choice === 'auto' ? 'auto' : choice === 'required' ? 'any' : undefined
  if (claudeVersion(name) === undefined || type === undefined)
    return { fields: {}, isDropped: choice !== 'none' }
  return { fields: { tool_choice: { type, disable_parallel_tool_use: true } }, isDropped: false }
}

/** Everything that no other part of the body says. */
function sorted(filled: JsonObject): { readonly own: JsonObject; readonly fields: JsonObject } {
  const own = new Map<string, Json>()
  const fields = new Map<string, Json>()
  for (const [name, value] of Object.entries(filled)) {
    if (value == null || SAID.has(name) || MERGED.has(name)) continue
    if (OWN.has(name)) own.set(name, value)
    else fields.set(name, value)
  }
  return { own: Object.fromEntries(own), fields: Object.fromEntries(fields) }
}

/** What a model is told below the top level. */
function toldTo({ places, isTimed }: Caches): ReadonlySet<string> {
  return new Set([
    'tools',
    'tools[].function.strict',
    ...(places === 'none'
      ? []
      : CACHE_MARKS.filter((place) => places === 'all' || !place.startsWith('tools'))),
    ...(isTimed ? CACHE_TIMES : []),
  ])
}
