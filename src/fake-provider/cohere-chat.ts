import { isJsonObject, type Json, type JsonObject } from '../core/json.ts'
import type { Call } from './call.ts'
import { objectsIn, toolsToCall } from './natives/asked.ts'

/** What Cohere counts. */
export const COHERE_META = {
  billed_units: { input_tokens: 5, output_tokens: 1 },
  tokens: { input_tokens: 5, output_tokens: 1 },
} as const

const PLAN = 'I will ask.'
const CITATION = {
  start: 0,
  end: 4,
  text: 'pong',
  sources: [
    { type: 'document', id: 'doc:0', document: { id: 'doc:0', title: 'Ping', url: 'https://pings.test/' } },
  ],
  type: 'TEXT_CONTENT',
} as const
const LOGPROBS = { text: 'pong', token_ids: [1], logprobs: [-0.25] } as const

/** The second version's answer: calls of all tools, or `pong`, with thoughts, citations and probabilities as asked. */
export function cohereChatV2({ json = {} }: Pick<Call, 'json'>): JsonObject {
  const calls = callsFor(json)
  const message =
    calls.length > 0
      ? { role: 'assistant', tool_plan: PLAN, tool_calls: calls }
      : {
          role: 'assistant',
          content: [
            ...(thinks(json) ? [{ type: 'thinking', thinking: 'hm' }] : []),
            { type: 'text', text: 'pong' },
          ],
          ...(json['documents'] === undefined ? {} : { citations: [CITATION] }),
        }
  return {
    id: 'c1',
    message,
    finish_reason: calls.length > 0 ? 'TOOL_CALL' : 'COMPLETE',
    usage: COHERE_META,
    ...(json['logprobs'] === true ? { logprobs: [LOGPROBS] } : {}),
  }
}

function callsFor(body: JsonObject): readonly JsonObject[] {
  if (body['tool_choice'] === 'NONE') return []
  return toolsToCall(body).map((name, index) => ({
    id: `${name}_${index}`,
    type: 'function',
    function: { name, arguments: '{"city":"Oslo"}' },
  }))
}

function thinks({ thinking }: JsonObject): boolean {
  return isJsonObject(thinking) && thinking['type'] === 'enabled'
}

/** The second version's stream: named events, message-start to message-end (Cohere, streaming guide). */
export function cohereChatStream({ json = {} }: Pick<Call, 'json'>): readonly string[] {
  const calls = callsFor(json)
  return [
    named({
      type: 'message-start',
      id: 'c1',
      delta: { message: { role: 'assistant', content: [], tool_plan: '', tool_calls: [], citations: [] } },
    }),
    ...(calls.length > 0 ? callEvents(calls) : textEvents(json)),
    named({
      type: 'message-end',
      delta: { finish_reason: calls.length > 0 ? 'TOOL_CALL' : 'COMPLETE', usage: COHERE_META },
    }),
    'data: [DONE]\n\n',
  ]
}

function callEvents(calls: readonly JsonObject[]): readonly string[] {
  return [
    named({ type: 'tool-plan-delta', delta: { message: { tool_plan: PLAN } } }),
    ...calls.flatMap(({ id, type, function: called }, index) => {
      const { name, arguments: text } = isJsonObject(called) ? called : {}
      const delta = (tool_calls: JsonObject): JsonObject => ({ index, delta: { message: { tool_calls } } })
      return [
        named({ type: 'tool-call-start', ...delta({ id, type, function: { name, arguments: '' } }) }),
        named({ type: 'tool-call-delta', ...delta({ function: { arguments: text } }) }),
        named({ type: 'tool-call-end', index }),
      ]
    }),
  ]
}

function textEvents(body: JsonObject): readonly string[] {
  const part = (type: string, index: number, content: JsonObject, more: JsonObject = {}): string =>
    named({ type, index, delta: { message: { content } }, ...more })
  const thoughts = thinks(body)
    ? [
        part('content-start', 0, { type: 'thinking', thinking: '' }),
        part('content-delta', 0, { thinking: 'hm' }),
        named({ type: 'content-end', index: 0 }),
      ]
    : []
  const at = thoughts.length > 0 ? 1 : 0
  const logprobs = (text: string): JsonObject =>
    body['logprobs'] === true ? { logprobs: { ...LOGPROBS, text } } : {}
  return [
    ...thoughts,
    part('content-start', at, { type: 'text', text: '' }),
    part('content-delta', at, { text: 'po' }, logprobs('po')),
    part('content-delta', at, { text: 'ng' }, logprobs('ng')),
    ...(body['documents'] === undefined
      ? []
      : [
          named({ type: 'citation-start', index: 0, delta: { message: { citations: CITATION } } }),
          named({ type: 'citation-end', index: 0 }),
        ]),
    named({ type: 'content-end', index: at }),
  ]
}

function named(data: JsonObject & { readonly type: string }): string {
  return `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`
}

/** The first version's stream: one JSON object a line. */
export function cohereChatV1Stream(): readonly string[] {
  const line = (data: JsonObject): string => `${JSON.stringify(data)}\n`
  return [
    line({ is_finished: false, event_type: 'stream-start', generation_id: 'g' }),
    line({ is_finished: false, event_type: 'text-generation', text: 'po' }),
    line({ is_finished: false, event_type: 'text-generation', text: 'ng' }),
    line({
      is_finished: true,
      event_type: 'stream-end',
      finish_reason: 'COMPLETE',
      response: { response_id: 'c1', text: 'pong', generation_id: 'g', finish_reason: 'COMPLETE' },
    }),
  ]
}

const MEMBERS: Readonly<Record<string, ReadonlySet<string>>> = {
  system: new Set(['role', 'content']),
  user: new Set(['role', 'content']),
  assistant: new Set(['role', 'content', 'tool_calls', 'tool_plan', 'citations']),
  tool: new Set(['role', 'content', 'tool_call_id']),
}

/** What is wrong with the messages or tools of a second version's body (ChatMessageV2, ToolV2); undefined for nothing. */
export function wrongWords(body: JsonObject): string | undefined {
  for (const message of objectsIn(body['messages'])) {
    const role = typeof message['role'] === 'string' ? message['role'] : ''
    const known = MEMBERS[role]
    if (known === undefined) return `invalid role in messages: '${role}'`
    const strange = Object.keys(message).find((name) => !known.has(name))
    if (strange !== undefined) return `unknown field: parameter 'messages.${strange}' is not a valid field`
    if (role === 'tool' && typeof message['tool_call_id'] !== 'string') return 'tool_call_id is required'
    const part = objectsIn(message['content']).find(({ type }) => !isPartOf(role, type))
    if (part !== undefined) return `invalid content type in messages: ${JSON.stringify(part['type'])}`
  }
  const tools = objectsIn(body['tools']).map((tool) => tool['function'])
  const isWhole = tools.every(
    (tool) => isJsonObject(tool) && isJsonObject(tool['parameters']) && !('strict' in tool),
  )
  return isWhole ? undefined : 'invalid tools: parameters are required, and nothing but name and description'
}

function isPartOf(role: string, type: Json | undefined): boolean {
  if (type === 'text') return true
  if (role === 'assistant') return type === 'thinking'
  return role === 'user' ? type === 'image_url' : role === 'tool' && type === 'document'
}
