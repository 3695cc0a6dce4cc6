import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import type { ChatRequest } from '../../core/mode.ts'
import type { Target } from '../adapter.ts'
import { BETA_MEMBER, betasOf } from '../betas.ts'
import { withDefaults } from '../body-defaults.ts'
import { CHANGES_NOTHING, missed } from '../unsaid.ts'
import { CACHE_MARKS, CACHE_TIMES, untold } from '../untold.ts'
import { claudeModel } from './claude-model.ts'
import { toBlocks } from './content.ts'
import { excludesThoughts, toSampling } from './sampling.ts'
import { toOutputFormat } from './schema.ts'
import { budgetOf, toThinking, type ThinkingWords } from './thinking.ts'
import { isForced, toToolWords } from './tools.ts'
import { toConversation } from './turns.ts'

/** How the place that serves Claude differs from Anthropic's own. */
export interface MessagesOptions {
  /** Of the API: `2023-06-01` (default), or `2026-10-21`, which takes no sampling parameters. */
  readonly version?: string
}

/** A request in Anthropic's words. */
export interface MessagesBody {
  readonly body: JsonObject
  /** The client's members, by OpenAI's names, that cannot be told and whose loss changes the answer. */
  readonly dropped: readonly string[]
  /** What is in beta and asked for by the deployment and the client. */
  readonly betas: readonly string[]
}

/** Anthropic demands a bound; who names none gets LiteLLM's, and what thinking takes on top of it. */
const DEFAULT_MAX_TOKENS = 4_096

/** OpenAI's members that change an answer and that Claude has no word for. */
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
]

/** Told in other words, or nothing that would change an answer. What nobody knows is carried. */
const NOT_CARRIED: ReadonlySet<string> = new Set([
  ...CHANGES_NOTHING,
  ...LACKS,
  BETA_MEMBER,
  'max_completion_tokens',
  'max_tokens',
  'messages',
  'model',
  'output_config',
  'parallel_tool_calls',
  'reasoning_effort',
  'response_format',
  'stop',
  'stream',
  'system',
  'temperature',
  'thinking',
  'tool_choice',
  'tools',
  'top_k',
  'top_p',
  'web_search_options',
])

/** What is told of it below the top level; of marks of caches everything. */
const TOLD: ReadonlySet<string> = new Set([
  ...CACHE_MARKS,
  ...CACHE_TIMES,
  'messages[].content[].citations',
  'messages[].content[].context',
  'tools',
  'tools[].function.strict',
  'web_search_options',
  'web_search_options.user_location',
])

/**
 * OpenAI's chat request as the body of `POST /v1/messages`
 * (https://platform.claude.com/docs/en/api/messages/create), the deployment's defaults filled in.
 * @throws GatewayError bad_request (the client's doing) for what cannot be said at all
 */
export function toMessagesBody(
  request: ChatRequest,
  target: Target,
  { version }: MessagesOptions = {},
): MessagesBody {
  const filled = withDefaults('chat', request, target.bodyDefaults)
  const { system, messages } = toConversation(request.messages)
  const own = toToolWords(filled)
  const mayForce = own.tools === undefined && filled['thinking'] === undefined
  const format = toOutputFormat(filled['response_format'], claudeModel(target.model), mayForce)
  const tools = format.tools ?? own
  const bound = numberIn(filled['max_completion_tokens'] ?? filled['max_tokens'])
  const thinking = toThinking(filled, {
    model: target.model,
    ...(bound !== undefined && { maxTokens: bound }),
    isForced: isForced(tools),
    isSampled: excludesThoughts(filled),
    messages,
  })
  const sampling = toSampling(filled, claudeModel(target.model), thinking, version)
  const allSystem = [...toBlocks(filled['system']), ...system]
  const body = {
    model: target.model,
    messages,
    max_tokens: bound ?? DEFAULT_MAX_TOKENS + budgetOf(thinking),
    ...(allSystem.length > 0 && { system: allSystem }),
    ...tools,
    ...sampling.told,
    ...(thinking.thinking !== undefined && { thinking: thinking.thinking }),
    ...toOutputConfig(filled['output_config'], target.model, thinking, format.told),
    ...stops(filled['stop']),
    ...metadata(filled),
    ...serviceTier(filled['service_tier']),
    ...carried(filled),
    ...(request.stream === true && { stream: true }),
  }
  const lost = [...sampling.lost, ...format.lost, ...(thinking.lost === undefined ? [] : [thinking.lost])]
  const hints = untold({ ...filled, messages: request.messages }, TOLD)
  const dropped = [...lost, ...missed(filled, LACKS), ...hints]
  return { body, dropped, betas: betasOf(target, request) }
}

/**
 * For clouds that cannot be left to find the end of what is to be cached, which a mark on the whole body asks for
 * (https://platform.claude.com/docs/en/build-with-claude/prompt-caching): the last block is marked.
 */
export function withMarkedEnd({ cache_control: mark, ...body }: JsonObject): JsonObject {
  const { messages } = body
  const last = Array.isArray(messages) ? messages.at(-1) : undefined
  const content = isJsonObject(last) ? last['content'] : undefined
  const block = Array.isArray(content) ? content.at(-1) : undefined
  if (!isJsonObject(mark) || !Array.isArray(messages) || !Array.isArray(content)) return body
  if (!isJsonObject(last) || !isJsonObject(block)) return body
  const marked = [...content.slice(0, -1), { cache_control: mark, ...block }]
  return { ...body, messages: [...messages.slice(0, -1), { ...last, content: marked }] }
}

function carried(request: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(request).filter(([name, value]) => !NOT_CARRIED.has(name) && value !== undefined),
  )
}

function numberIn(value: Json | undefined): number | undefined {
  return typeof value === 'number' ? value : undefined
}

/** `output_config`: the client's own, with the effort and the format that are told otherwise. */
export function toOutputConfig(
  own: Json | undefined,
  model: string,
  thinking: ThinkingWords,
  format?: JsonObject,
): JsonObject {
  return outputConfig(ownConfig(own, model, thinking), thinking, format)
}

/** Without an effort that a model does not know, where the budget says it already. */
function ownConfig(
  config: Json | undefined,
  model: string,
  { isEffortSaid }: ThinkingWords,
): Json | undefined {
  if (isEffortSaid !== true || !isJsonObject(config) || claudeModel(model).knowsEffort) return config
  const { effort: _, ...rest } = config
  return Object.keys(rest).length === 0 ? undefined : rest
}

function outputConfig(
  own: Json | undefined,
  { effort }: ThinkingWords,
  format: JsonObject | undefined,
): JsonObject {
  if (!isJsonObject(own) && effort === undefined && format === undefined) return {}
  const config = {
    ...(effort !== undefined && { effort }),
    ...(format !== undefined && { format }),
    ...(isJsonObject(own) && own),
  }
  return { output_config: config }
}

function stops(stop: Json | undefined): JsonObject {
  const sequences = typeof stop === 'string' ? [stop] : stop
  return Array.isArray(sequences) && sequences.length > 0 ? { stop_sequences: sequences } : {}
}

const LONGEST_USER_ID = 256

/** Who asks. Anthropic wants no address of a person there, and knows no other metadata. */
function metadata(request: JsonObject): JsonObject {
  const given = request['metadata']
  const own = isJsonObject(given) ? given['user_id'] : undefined
  const user = own ?? request['user'] ?? request['safety_identifier']
  return typeof user === 'string' && user !== '' && user.length <= LONGEST_USER_ID && !user.includes('@')
    ? { metadata: { user_id: user } }
    : {}
}

function serviceTier(tier: Json | undefined): JsonObject {
  if (tier === 'default') return { service_tier: 'standard_only' }
  return tier === 'auto' || tier === 'standard_only' ? { service_tier: tier } : {}
}
