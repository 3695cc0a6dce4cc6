import { entryOf } from '../../core/entry-of.ts'
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import type { ChatRequest } from '../../core/mode.ts'
import type { Target } from '../adapter.ts'
import { numberOf } from '../answer.ts'
import { withDefaults } from '../body-defaults.ts'
import { describedSchema } from '../described-schema.ts'
import { OPENAI_ALONE, sayable, type Sayable } from '../unsaid.ts'
import { unmarked, untold } from '../untold.ts'
import type { CohereVersion } from './address.ts'
import { toMessage, toV1Words } from './messages.ts'
import { areStrict, toolWords } from './tools.ts'

/** OpenAI's names that Cohere has under another name (https://docs.cohere.com/reference/chat). */
const RENAMES: Readonly<Record<string, string>> = {
  max_completion_tokens: 'max_tokens',
  stop: 'stop_sequences',
  top_p: 'p',
  top_k: 'k',
}

/** OpenAI's members that Cohere's chat has no place for. */
const LACKS: ReadonlySet<string> = new Set([
  ...OPENAI_ALONE,
  'logit_bias',
  'metadata',
  'n',
  'parallel_tool_calls',
  'prediction',
  'prompt_cache_key',
  'top_logprobs',
])

/** What the first version has no place for besides, or only in words that are not OpenAI's. */
const V1_LACKS: ReadonlySet<string> = new Set([
  ...LACKS,
  'logprobs',
  'reasoning_effort',
  'thinking',
  'tool_choice',
  'tools',
])

/**
 * OpenAI's chat request in Cohere's words. Members that neither knows are carried.
 * @throws GatewayError bad_request for parts of messages that this version has no place for
 */
export function toCohereChat(request: ChatRequest, target: Target, version: CohereVersion): Sayable {
  const filled = withDefaults('chat', request, target.bodyDefaults)
  const { said, dropped } = sayable(filled, version === 'v1' ? V1_LACKS : LACKS)
  const { tools, tool_choice: choice, reasoning_effort: effort, messages: _, model: __, ...rest } = said
  const options = Object.entries(rest)
    .filter(([, value]) => value !== null)
    .map(([key, value]) => [entryOf(RENAMES, key) ?? key, translated(key, value, version)] as const)
  const messages = request.messages.map(unmarked)
  const words = version === 'v1' ? toV1Words(messages) : { messages: messages.map(toMessage) }
  return {
    said: {
      ...thinkingOf(effort),
      ...Object.fromEntries(options),
      ...toolWords(tools, choice),
      ...words,
      model: target.model,
    },
    dropped: [...dropped, ...untold({ ...said, messages: request.messages }, toldTo(version, tools))],
  }
}

/** What it is told below the top level. */
function toldTo(version: CohereVersion, tools: Json | undefined): ReadonlySet<string> {
  return new Set([
    'tools',
    ...(version === 'v1' ? [] : ['messages[].content[].image_url.detail']),
    ...(areStrict(tools) ? ['tools[].function.strict'] : []),
  ])
}

function translated(key: string, value: Json | undefined, version: CohereVersion): Json | undefined {
  if (key === 'stop' && typeof value === 'string') return [value]
  if (key === 'response_format') return responseFormat(value, version)
  return key === 'thinking' ? thinking(value) : value
}

/** The schema stands beside the type; the first version calls it `schema`. */
function responseFormat(value: Json | undefined, version: CohereVersion): Json | undefined {
  if (!isJsonObject(value) || value['type'] !== 'json_schema') return value
  return { type: 'json_object', [version === 'v1' ? 'schema' : 'json_schema']: describedSchema(value) }
}

/** What the words of `reasoning_effort` may cost in tokens: Cohere takes a number. LiteLLM's, for other providers. */
const BUDGETS: Readonly<Record<string, number>> = {
  minimal: 512,
  low: 1_024,
  medium: 2_048,
  high: 4_096,
  xhigh: 8_192,
  max: 16_384,
}

/** https://docs.cohere.com/docs/reasoning (read 2026-11-27): on unless disabled, with a budget where one is given. */
function thinkingOf(effort: Json | undefined): JsonObject {
  if (typeof effort !== 'string') return {}
  if (effort === 'none') return { thinking: { type: 'disabled' } }
  const budget = entryOf(BUDGETS, effort)
  return { thinking: { type: 'enabled', ...(budget === undefined ? {} : { token_budget: budget }) } }
}

/** Anthropic's name of the budget, which LiteLLM's clients use for all. */
function thinking(value: Json | undefined): Json | undefined {
  if (!isJsonObject(value)) return value
  const { budget_tokens: budget, ...rest } = value
  return numberOf(budget) === undefined ? rest : { token_budget: budget, ...rest }
}
