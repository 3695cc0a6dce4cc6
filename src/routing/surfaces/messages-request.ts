import { isJsonObject } from '../../core/json.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import { isReasoningModel, knowsXhigh } from '../../providers/catalogue.ts'
import { refuse } from '../request/request.ts'
import { effortOfBudget } from './effort.ts'
import { assistantMessage, markOf, systemMessage, userMessages } from './messages-blocks.ts'
import { messagesHints } from './messages-hints.ts'
import { placed } from './placed.ts'
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
  const { tools, lost: lostTools } = toolsOf(body['tools'], ground)
  const budget = isReasoning ? 'max_completion_tokens' : 'max_tokens'
  const isStream = body['stream'] === true
  const lacksTopK = ground.lacksTopK === true && typeof body['top_k'] === 'number'
  const rest = without(body, new Set([...TAKEN, ...ONLY_ANTHROPIC, ...(lacksTopK ? ['top_k'] : [])]))
  const effort = mayThink ? effortOf(body, ground) : undefined
  return {
    body: present({
      ...rest,
      ...(!ground.isRelayed && aside(body)),
      ...(ground.readsThinking === true && { cache_control: body['cache_control'] }),
      messages: messagesOf(body, ground),
      [budget]: body['max_tokens'],
      stop: body['stop_sequences'],
      tools: tools.length > 0 ? tools : undefined,
      ...choiceOf(body['tool_choice']),
      ...(ground.readsThinking === true && { thinking: body['thinking'] }),
      reasoning_effort: effort?.said,
      response_format: formatOf(body),
      ...(isStream && { stream: true, stream_options: { include_usage: true } }),
    }),
    lost: [
      ...ONLY_ANTHROPIC.filter((name) => body[name] !== undefined && body[name] !== null),
      ...(lacksTopK ? ['top_k'] : []),
      ...(isUnthinkable ? ['thinking'] : []),
      ...lostOfConfig(body['output_config'], mayThink),
      ...lostTools,
    ],
    hints: [...(effort?.isLess === true ? ['output_config.effort'] : []), ...messagesHints(body, ground)],
  }
}

/** What accounts are about: who reads the neutral form takes what it knows. */
function aside({ metadata, service_tier: tier }: JsonObject): JsonObject {
  return { service_tier: tier, user: textOf(memberOf(metadata, 'user_id')) }
}

function messagesOf(body: JsonObject, ground: WordsGround): readonly JsonObject[] {
  const system = systemMessage(body['system'], 'system', ground)
  const said = objectsOf(body['messages'], 'messages').flatMap((message, index) => {
    const path = `messages[${index}]`
    switch (message['role']) {
      case 'user':
        return userMessages(message['content'], path, ground)
      case 'assistant':
        return assistantMessage(message['content'], path, ground)
      case 'system':
        return systemMessage(message['content'], `${path}.content`, ground) ?? []
      default:
        throw refuse(`'${path}.role' must be 'user' or 'assistant'.`, 'messages')
    }
  })
  return system === undefined ? said : [system, ...said]
}

function thinks(thinking: Json | undefined): boolean {
  const type = memberOf(thinking, 'type')
  return type === 'enabled' || type === 'adaptive'
}

/** An effort in OpenAI's words. */
interface Effort {
  readonly said: string
  /** The model does not know as much as was asked for. */
  readonly isLess?: boolean
}

/** How hard the client wants the model to think; undefined: it does not say, or it is said in Anthropic's own words. */
function effortOf({ thinking, output_config: config }: JsonObject, ground: WordsGround): Effort | undefined {
  const named = textOf(memberOf(config, 'effort'))
  if (named !== undefined) return ground.isRelayed ? nearest(named, ground.knownModel) : { said: named }
  if (!thinks(thinking) || ground.readsThinking === true) return undefined
  const budget = memberOf(thinking, 'budget_tokens')
  const said = typeof budget === 'number' ? effortOfBudget(budget) : 'medium'
  return said === undefined ? undefined : { said }
}

/** Models of OpenAI's know no `max` for certain, and only some `xhigh`. */
function nearest(effort: string, model: string): Effort {
  if (effort !== 'max' && effort !== 'xhigh') return { said: effort }
  return knowsXhigh(model) ? { said: 'xhigh', isLess: effort === 'max' } : { said: 'high', isLess: true }
}

/** Members of `output_config` that nothing stands for: what is not known among them, and the effort of who cannot think. */
function lostOfConfig(config: Json | undefined, mayThink: boolean): readonly string[] {
  if (!isJsonObject(config)) return []
  const { effort, format: _, ...others } = config
  const rest = Object.keys(others).filter((name) => others[name] !== undefined && others[name] !== null)
  return [...rest, ...(!mayThink && effort != null ? ['effort'] : [])].map((name) => `output_config.${name}`)
}

/** `output_config.format`, `output_format` before it. */
function formatOf({ output_config: config, output_format: old }: JsonObject): JsonObject | undefined {
  const format = memberOf(config, 'format') ?? old
  if (memberOf(format, 'type') !== 'json_schema') return undefined
  const schema = memberOf(format, 'schema') ?? {}
  return { type: 'json_schema', json_schema: { name: 'output', schema, strict: true } }
}

/** Tools of the client's own; Anthropic's come with a type of their own, and nobody else has them. */
function toolsOf(
  listed: Json | undefined,
  ground: WordsGround,
): {
  readonly tools: readonly JsonObject[]
  readonly lost: readonly string[]
} {
  if (listed === undefined || listed === null) return { tools: [], lost: [] }
  const all = objectsOf(listed, 'tools')
  const isOwn = ({ type }: JsonObject): boolean => type === undefined || type === null || type === 'custom'
  const others = all.filter((tool) => !isOwn(tool))
  return {
    tools: all.flatMap((tool, at) => (isOwn(tool) ? [toolOf(tool, `tools[${at}]`, ground)] : [])),
    lost: others.map(({ type }) => `tools (${textOf(type)?.slice(0, 64) ?? 'of no type'})`),
  }
}

function toolOf(tool: JsonObject, path: string, ground: WordsGround): JsonObject {
  const { name, description, input_schema: parameters, strict } = tool
  const called = present({ name, description, parameters, strict: strict === true ? true : undefined })
  return placed(ground, path, { type: 'function', function: called, ...markOf(tool, ground) })
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
