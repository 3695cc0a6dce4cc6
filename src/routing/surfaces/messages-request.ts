import { isJsonObject } from '../../core/json.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import { isReasoningModel } from '../../providers/catalogue.ts'
import { refuse } from '../request/request.ts'
import { effortOfBudget } from './effort.ts'
import { assistantMessage, systemMessage, userMessages } from './messages-blocks.ts'
import { memberOf, objectsOf, present, textOf, without } from './read-json.ts'
import type { Spoken, WordsGround } from './surface.ts'

/** What is said in other members, or changes no answer. */
const TAKEN: ReadonlySet<string> = new Set([
  'cache_control',
  'max_tokens',
  'messages',
  'metadata',
  'output_config',
  'output_format',
  'service_tier',
  'stop_sequences',
  'stream',
  'system',
  'thinking',
  'tool_choice',
  'tools',
])
/** What only Anthropic has. */
const ONLY_ANTHROPIC = ['container', 'context_management', 'mcp_servers', 'speed', 'inference_geo'] as const

/** Anthropic's Messages API (https://docs.anthropic.com/en/api/messages) as a chat. What is not known is carried. */
export function chatOfMessages(body: JsonObject, ground: WordsGround): Spoken {
  const isReasoning = isReasoningModel(ground.knownModel)
  // Who reads OpenAI's words refuses an effort where the model does not reason.
  const mayThink = isReasoning || !ground.isRelayed
  const isUnthinkable = !mayThink && thinks(body['thinking'])
  const { tools, lost: lostTools } = toolsOf(body['tools'])
  const budget = isReasoning ? 'max_completion_tokens' : 'max_tokens'
  const isStream = body['stream'] === true
  const rest = without(body, new Set([...TAKEN, ...ONLY_ANTHROPIC]))
  return {
    body: present({
      ...rest,
      messages: messagesOf(body, ground),
      [budget]: body['max_tokens'],
      stop: body['stop_sequences'],
      tools: tools.length > 0 ? tools : undefined,
      ...choiceOf(body['tool_choice']),
      reasoning_effort: mayThink ? effortOf(body) : undefined,
      response_format: formatOf(body),
      ...(isStream && { stream: true, stream_options: { include_usage: true } }),
    }),
    lost: [
      ...ONLY_ANTHROPIC.filter((name) => body[name] !== undefined && body[name] !== null),
      ...(isUnthinkable ? ['thinking'] : []),
      ...lostTools,
    ],
  }
}

function messagesOf(body: JsonObject, ground: WordsGround): readonly JsonObject[] {
  const system = systemMessage(body['system'])
  const said = objectsOf(body['messages'], 'messages').flatMap((message, index) => {
    const path = `messages[${index}]`
    switch (message['role']) {
      case 'user':
        return userMessages(message['content'], path)
      case 'assistant':
        return assistantMessage(message['content'], path, ground)
      case 'system':
        return systemMessage(message['content']) ?? []
      default:
        throw refuse(`'${path}.role' must be 'user' or 'assistant'.`, 'messages')
    }
  })
  return system === undefined ? said : [system, ...said]
}

/** Anthropic's words for more than OpenAI's most. */
const MOST_EFFORT: Readonly<Record<string, string>> = { max: 'high', xhigh: 'high' }

function thinks(thinking: Json | undefined): boolean {
  const type = memberOf(thinking, 'type')
  return type === 'enabled' || type === 'adaptive'
}

/** How hard the client wants the model to think; undefined: it does not say. */
function effortOf({ thinking, output_config: config }: JsonObject): string | undefined {
  const named = textOf(memberOf(config, 'effort'))
  if (named !== undefined) return MOST_EFFORT[named] ?? named
  if (!thinks(thinking)) return undefined
  const budget = memberOf(thinking, 'budget_tokens')
  return typeof budget === 'number' ? effortOfBudget(budget) : 'medium'
}

/** `output_config.format`, `output_format` before it. */
function formatOf({ output_config: config, output_format: old }: JsonObject): JsonObject | undefined {
  const format = memberOf(config, 'format') ?? old
  if (memberOf(format, 'type') !== 'json_schema') return undefined
  const schema = memberOf(format, 'schema') ?? {}
  return { type: 'json_schema', json_schema: { name: 'output', schema, strict: true } }
}

/** Tools of the client's own; Anthropic's come with a type of their own, and nobody else has them. */
function toolsOf(listed: Json | undefined): {
  readonly tools: readonly JsonObject[]
  readonly lost: readonly string[]
} {
  if (listed === undefined || listed === null) return { tools: [], lost: [] }
  const all = objectsOf(listed, 'tools')
  const own = all.filter(({ type }) => type === undefined || type === null || type === 'custom')
  const others = all.filter((tool) => !own.includes(tool))
  return {
    tools: own.map(({ name, description, input_schema: parameters, strict }) => ({
      type: 'function',
      function: present({ name, description, parameters, strict: strict === true ? true : undefined }),
    })),
    lost: others.map(({ type }) => `tools (${textOf(type)?.slice(0, 64) ?? 'of no type'})`),
  }
}

function choiceOf(choice: Json | undefined): JsonObject {
  if (!isJsonObject(choice)) return {}
  const single = choice['disable_parallel_tool_use'] === true ? { parallel_tool_calls: false } : {}
  switch (choice['type']) {
    case 'auto':
    case 'none':
      return { tool_choice: choice['type'], ...single }
    case 'any':
      return { tool_choice: 'required', ...single }
    case 'tool':
      return { tool_choice: { type: 'function', function: { name: choice['name'] } }, ...single }
    default:
      throw refuse("'tool_choice.type' must be one of auto, any, tool, none.", 'tool_choice')
  }
}
