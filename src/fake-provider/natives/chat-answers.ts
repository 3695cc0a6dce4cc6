import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import { SUCCESS_HEADERS, type Reply } from '../reply.ts'

/** The fixed values of every answer in OpenAI's shape. */
const CREATED = 1_700_000_000
const USAGE = { prompt_tokens: 5, completion_tokens: 1, total_tokens: 6 } as const

/** What a model that takes OpenAI's chats says to one: it calls every tool that it is given, else it says pong. */
export interface Said {
  readonly message: JsonObject
  readonly finish: 'stop' | 'tool_calls'
}

/** Of the body of a chat. An answer of a tool is answered in words; a schema is kept to. */
export function saidTo(body: JsonObject): Said {
  const { tools, messages } = body
  const names = Array.isArray(tools) ? tools.flatMap(nameOf) : []
  const last = Array.isArray(messages) ? messages.at(-1) : undefined
  const isAnswered = isJsonObject(last) && last['role'] === 'tool'
  if (names.length > 0 && !isAnswered && !isNone(body)) {
    const calls = names.map((name, index) => ({
      id: `call_${index}`,
      type: 'function',
      function: { name, arguments: '{"place":"Paris"}' },
    }))
    return { message: { role: 'assistant', content: null, tool_calls: calls }, finish: 'tool_calls' }
  }
  const format = body['response_format']
  const isJson = isJsonObject(format) && format['type'] !== 'text'
  return { message: { role: 'assistant', content: isJson ? '{"answer":"pong"}' : 'pong' }, finish: 'stop' }
}

function isNone(body: JsonObject): boolean {
  return body['tool_choice'] === 'none' || body['tool_choice_option'] === 'none'
}

function nameOf(tool: Json): readonly string[] {
  const named = isJsonObject(tool) ? tool['function'] : undefined
  return isJsonObject(named) && typeof named['name'] === 'string' ? [named['name']] : []
}

/** A whole answer; `more` are members of this provider's own. */
export function chatAnswer(said: Said, more: JsonObject): JsonObject {
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: CREATED,
    choices: [{ index: 0, message: said.message, finish_reason: said.finish }],
    usage: USAGE,
    ...more,
  }
}

/** The same piece by piece; usage stands in the last one. */
export function chatChunks(said: Said, more: JsonObject): readonly JsonObject[] {
  const { role, content, tool_calls: calls } = said.message
  const deltas: readonly JsonObject[] = [
    { role, content: '' },
    ...(typeof content === 'string'
      ? [content.slice(0, 2), content.slice(2)].map((text) => ({ content: text }))
      : []),
    ...(Array.isArray(calls) ? calls.flatMap(callDeltas) : []),
  ]
  const head = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: CREATED, ...more }
  const chunk = (delta: JsonObject, finish: string | null): JsonObject => ({
    ...head,
    choices: [{ index: 0, delta, finish_reason: finish }],
  })
  return [
    ...deltas.map((delta) => chunk(delta, null)),
    chunk({}, said.finish),
    { ...head, choices: [], usage: USAGE },
  ]
}

/** Name first, arguments in two pieces. */
function callDeltas(call: Json, index: number): readonly JsonObject[] {
  const named = isJsonObject(call) ? call['function'] : undefined
  if (!isJsonObject(call) || !isJsonObject(named)) return []
  const { arguments: given } = named
  const text = typeof given === 'string' ? given : ''
  return [
    { tool_calls: [{ index, ...call, function: { name: named['name'], arguments: '' } }] },
    { tool_calls: [{ index, function: { arguments: text.slice(0, 5) } }] },
    { tool_calls: [{ index, function: { arguments: text.slice(5) } }] },
  ]
}

/** OpenAI's answer to a request for vectors. */
export function embeddingAnswer(body: JsonObject, model: Json | undefined): JsonObject {
  const { input } = body
  const texts = Array.isArray(input) ? input : [input]
  const data = texts.map((_, index) => ({ object: 'embedding', index, embedding: [0.1, 0.2, 0.3] }))
  return { object: 'list', model, data, usage: { prompt_tokens: 4, total_tokens: 4 } }
}

/** A good answer. */
export function goodReply(json: JsonObject): Reply {
  return {
    status: 200,
    headers: { 'content-type': 'application/json', ...SUCCESS_HEADERS },
    chunks: [JSON.stringify(json)],
  }
}

/** A good stream, in events that are texts already. */
export function eventsReply(chunks: readonly string[]): Reply {
  return { status: 200, headers: { 'content-type': 'text/event-stream', ...SUCCESS_HEADERS }, chunks }
}
