import { isJsonObject } from '../../core/json.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import { memberValue } from '../../core/json-spans.ts'
import type { JsonSpans } from '../../core/json-spans.ts'
import { picked } from '../../providers/body-defaults.ts'
import { isReasoningModel } from '../../providers/catalogue.ts'
import { refuse } from '../request/request.ts'
import { placed } from './placed.ts'
import { memberOf, objectsOf, present, textOf, without } from './read-json.ts'
import { messagesOfItems } from './responses-items.ts'
import type { Spoken, WordsGround } from './surface.ts'

/** What is said in other members, or changes no answer. */
const TAKEN: ReadonlySet<string> = new Set([
  'background',
  'context_management',
  'conversation',
  'include',
  'input',
  'instructions',
  'max_output_tokens',
  'max_tool_calls',
  'metadata',
  'previous_response_id',
  'prompt',
  'prompt_cache_key',
  'prompt_cache_options',
  'prompt_cache_retention',
  'reasoning',
  'safety_identifier',
  'service_tier',
  'store',
  'stream',
  'stream_options',
  'text',
  'tool_choice',
  'tools',
  'top_logprobs',
  'truncation',
  'user',
])

/**
 * OpenAI's Responses API (https://platform.openai.com/docs/api-reference/responses/create) as a chat. What is not known
 * is carried.
 * @throws GatewayError bad_request for what only a provider that keeps conversations can do
 */
export function chatOfResponses(body: JsonObject, ground: WordsGround): Spoken {
  const { knownModel, isRelayed } = ground
  refuseKept(body)
  const isReasoning = isReasoningModel(knownModel)
  const effort = textOf(memberOf(body['reasoning'], 'effort'))
  const mayThink = isReasoning || !isRelayed
  const isUnthinkable = !mayThink && effort !== undefined && effort !== 'none'
  const { tools, lost: lostTools } = toolsOf(body['tools'], ground)
  const isStream = body['stream'] === true
  const wantsLogprobs = listOf(body['include']).includes('message.output_text.logprobs')
  return {
    body: present({
      ...without(body, TAKEN),
      ...(!isRelayed && picked(body, ASIDE)),
      messages: messagesOfItems(body['instructions'], body['input'], ground),
      [isReasoning ? 'max_completion_tokens' : 'max_tokens']: body['max_output_tokens'] ?? undefined,
      tools: tools.length > 0 ? tools : undefined,
      tool_choice: choiceOf(body['tool_choice']),
      reasoning_effort: mayThink ? effort : undefined,
      ...textMembers(body['text']),
      ...(wantsLogprobs && { logprobs: true, top_logprobs: body['top_logprobs'] ?? undefined }),
      ...(isStream && { stream: true, stream_options: { include_usage: true } }),
    }),
    lost: [
      ...(isUnthinkable ? ['reasoning'] : []),
      // Who says nothing of it is told what became of it by the answer's `store`.
      ...(body['store'] === true ? ['store'] : []),
      ...(body['truncation'] === 'auto' ? ['truncation'] : []),
      ...(body['context_management'] != null ? ['context_management'] : []),
      ...lostTools,
    ],
    hints: responsesHints(body),
  }
}

/** What accounts and caches are about: who reads the neutral form takes what he knows. */
const ASIDE = [
  'metadata',
  'prompt_cache_key',
  'prompt_cache_retention',
  'safety_identifier',
  'service_tier',
  'user',
]

/** What tools have that is told. */
const TOLD_OF_TOOLS: ReadonlySet<string> = new Set(['description', 'name', 'parameters', 'strict', 'type'])

/** Members that nothing in a chat stands for, and that change no question. */
function responsesHints(body: JsonObject): readonly string[] {
  const more = listOf(body['include']).some((name) => name !== 'message.output_text.logprobs')
  const own = listOf(body['tools']).filter((tool: Json) => memberOf(tool, 'type') === 'function')
  const ofTools = own.flatMap((tool: Json) => (isJsonObject(tool) ? Object.entries(tool) : []))
  const strange = ofTools.filter(([name, value]) => !TOLD_OF_TOOLS.has(name) && value != null)
  const ofThoughts = ['context', 'mode'].filter((name) => memberOf(body['reasoning'], name) != null)
  return [
    ...(more ? ['include'] : []),
    ...ofThoughts.map((name) => `reasoning.${name}`),
    ...new Set(strange.map(([name]) => `tools[].${name}`)),
  ]
}

/** What a chat deployment cannot do for anybody: it forgets each request when it has answered. */
const KEPT: readonly (readonly [member: string, why: string])[] = [
  ['previous_response_id', 'send the whole conversation as input'],
  ['conversation', 'send the whole conversation as input'],
  ['prompt', 'send the text of the prompt as input'],
]

/** Is there anything in a body that only a provider who keeps it can do? */
export function wantsKeeper(body: Buffer, spans: JsonSpans): boolean {
  return spans.members.some(({ key }) => {
    if (key === 'background' || key === 'store') return memberValue(body, spans, key) === true
    return KEPT.some(([name]) => name === key) && memberValue(body, spans, key) !== null
  })
}

function refuseKept(body: JsonObject): void {
  for (const [member, instead] of KEPT) {
    const value = body[member]
    if (value === undefined || value === null) continue
    throw refuse(
      `'${member}': this deployment serves chats, and neither it nor the gateway keeps anything; ${instead}.`,
      member,
    )
  }
  if (body['background'] === true)
    throw refuse("'background': this deployment answers while one waits; leave it out.", 'background')
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : []
}

/** Functions of the client's own, nested as a chat has them; OpenAI runs the others itself, and nobody else does. */
function toolsOf(
  listed: Json | undefined,
  ground: WordsGround,
): {
  readonly tools: readonly JsonObject[]
  readonly lost: readonly string[]
} {
  if (listed === undefined || listed === null) return { tools: [], lost: [] }
  const all = objectsOf(listed, 'tools')
  const others = all.filter(({ type }) => type !== 'function')
  return {
    tools: all.flatMap((tool, at) =>
      tool['type'] === 'function' ? [placed(ground, `tools[${at}]`, toolOf(tool))] : [],
    ),
    lost: others.map(({ type }) => `tools (${textOf(type)?.slice(0, 64) ?? 'of no type'})`),
  }
}

function toolOf({ name, description, parameters, strict }: JsonObject): JsonObject {
  return {
    type: 'function',
    function: present({
      name,
      description: description ?? undefined,
      parameters: parameters ?? undefined,
      strict: strict ?? undefined,
    }),
  }
}

function choiceOf(choice: Json | undefined): Json | undefined {
  if (choice === undefined || choice === null) return undefined
  if (!isJsonObject(choice)) return choice
  switch (choice['type']) {
    case 'function':
      return { type: 'function', function: { name: choice['name'] } }
    case 'allowed_tools': {
      const tools = objectsOf(choice['tools'], 'tool_choice.tools')
      const named = tools.map(({ name }) => ({ type: 'function', function: { name } }))
      return { type: 'allowed_tools', allowed_tools: { mode: choice['mode'], tools: named } }
    }
    default:
      throw refuse(
        `'tool_choice': a tool of type ${textOf(choice['type'])?.slice(0, 64) ?? 'none'} cannot be named to this deployment's provider.`,
        'tool_choice',
      )
  }
}

/** The form that the answer is to have. */
function textMembers(text: Json | undefined): JsonObject {
  const format = memberOf(text, 'format')
  const verbosity = memberOf(text, 'verbosity') ?? undefined
  switch (memberOf(format, 'type')) {
    case 'json_schema': {
      if (!isJsonObject(format)) return { verbosity }
      const { type, ...schema } = format
      return { response_format: { type, json_schema: schema }, verbosity }
    }
    case 'json_object':
      return { response_format: { type: 'json_object' }, verbosity }
    default:
      return { verbosity }
  }
}
