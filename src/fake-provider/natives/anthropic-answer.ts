import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import { word } from './anthropic-words.ts'
import { jsonReply, type Reply } from '../reply.ts'
import { eventsOf } from './anthropic-stream.ts'

type Headers = Readonly<Record<string, string>>

/** A message for a body that is in order: whole, or as events. Values are fixed, so that tests can name them. */
export function messageReply(body: JsonObject, headers: Headers): Reply {
  const message = messageFor(body)
  if (body['stream'] !== true) return jsonReply(200, message, headers)
  return {
    status: 200,
    headers: { 'content-type': 'text/event-stream; charset=utf-8', ...headers },
    chunks: eventsOf(message),
  }
}

/** What `count_tokens` says. */
export function countedTokens(body: JsonObject): JsonObject {
  return { input_tokens: JSON.stringify(body['messages'] ?? []).length }
}

interface Ending {
  readonly stop_reason: string
  readonly stop_sequence: string | null
  readonly stop_details: JsonObject | null
}

const ENDED: Ending = { stop_reason: 'end_turn', stop_sequence: null, stop_details: null }

/** A message for a body that is in order. */
export function messageFor(body: JsonObject): JsonObject {
  const { content, ending } = said(body)
  const thoughts = thoughtsFor(body['thinking'])
  const isCached = JSON.stringify(body).includes('"cache_control"')
  return {
    id: 'msg_013Zva2CMHLNnXjNJJKqJ2EF',
    type: 'message',
    role: 'assistant',
    model: body['model'] ?? '',
    content: [...thoughts, ...content],
    ...ending,
    usage: {
      input_tokens: 5,
      cache_creation_input_tokens: isCached ? 2 : 0,
      cache_read_input_tokens: isCached ? 3 : 0,
      output_tokens: 1 + thoughts.length * 7,
      ...(thoughts.length > 0 && { output_tokens_details: { thinking_tokens: 7 } }),
      service_tier: 'standard',
    },
  }
}

/** Thoughts come first; newer models keep them to themselves unless they are asked to sum them up. */
function thoughtsFor(thinking: Json | undefined): readonly JsonObject[] {
  if (!isJsonObject(thinking)) return []
  const isTold = thinking['type'] === 'enabled' || thinking['display'] === 'summarized'
  if (thinking['type'] !== 'enabled' && thinking['type'] !== 'adaptive') return []
  return [{ type: 'thinking', thinking: isTold ? 'They say ping.' : '', signature: 'EqQBCgIYAhIM' }]
}

function said(body: JsonObject): { readonly content: readonly JsonObject[]; readonly ending: Ending } {
  const calls = callsFor(body)
  if (calls.length > 0) return { content: calls, ending: { ...ENDED, stop_reason: 'tool_use' } }
  const asked = lastBlocks(body['messages'])
  if (JSON.stringify(asked).includes('I will hurt you')) return { content: [], ending: REFUSED }
  if (isJsonObject(body['output_config']) && body['output_config']['format'] !== undefined)
    return { content: [{ type: 'text', text: '{"answer":"pong"}' }], ending: ENDED }
  if (hasTool(body['tools'], 'web_search')) return { content: SEARCHED, ending: ENDED }
  const cited = asked.find((block) => isJsonObject(block['citations']))
  if (cited !== undefined) return { content: [citing(cited)], ending: ENDED }
  return spoken(body['stop_sequences'])
}

const REFUSED: Ending = {
  stop_reason: 'refusal',
  stop_sequence: null,
  stop_details: { type: 'refusal', category: 'general_harms', explanation: 'I cannot help with that.' },
}

/** `pong`, as far as the stop sequences let it. */
function spoken(stops: Json | undefined): ReturnType<typeof said> {
  const text = 'pong'
  const met = Array.isArray(stops)
    ? stops.find((stop: Json) => typeof stop === 'string' && text.includes(stop))
    : undefined
  if (typeof met !== 'string') return { content: [{ type: 'text', text }], ending: ENDED }
  const before = text.slice(0, text.indexOf(met))
  return {
    content: before === '' ? [] : [{ type: 'text', text: before }],
    ending: { ...ENDED, stop_reason: 'stop_sequence', stop_sequence: met },
  }
}

/** The client's tools are called, two at once at most, until their results are there. */
function callsFor(body: JsonObject): readonly JsonObject[] {
  const { tools, tool_choice: choice } = body
  const how = isJsonObject(choice) ? choice : {}
  const isAnswered = lastBlocks(body['messages']).some(({ type }) => type === 'tool_result')
  if (!Array.isArray(tools) || how['type'] === 'none' || (isAnswered && how['type'] === undefined)) return []
  const own = tools.filter(isJsonObject).filter(({ input_schema: schema }) => schema !== undefined)
  const named = how['type'] === 'tool' ? own.filter(({ name }) => name === how['name']) : own
  return named.slice(0, how['disable_parallel_tool_use'] === true ? 1 : 2).map(({ name }, at) => ({
    type: 'tool_use',
    id: `toolu_0${at + 1}`,
    name: name ?? '',
    input: inputFor(own, name),
  }))
}

/** Something for every member that is demanded. */
function inputFor(tools: readonly JsonObject[], name: Json | undefined): JsonObject {
  const schema = tools.find((tool) => tool['name'] === name)?.['input_schema']
  const required = isJsonObject(schema) ? schema['required'] : undefined
  return Object.fromEntries(
    (Array.isArray(required) ? required : []).map((member: Json) => [word(member), 'Paris']),
  )
}

function lastBlocks(messages: Json | undefined): readonly JsonObject[] {
  const last = Array.isArray(messages) ? messages.at(-1) : undefined
  const content = isJsonObject(last) ? last['content'] : undefined
  if (typeof content === 'string') return [{ type: 'text', text: content }]
  return Array.isArray(content) ? content.filter(isJsonObject) : []
}

function hasTool(tools: Json | undefined, name: string): boolean {
  return Array.isArray(tools) && tools.some((tool: Json) => isJsonObject(tool) && tool['name'] === name)
}

function citing(document: JsonObject): JsonObject {
  const citation = {
    type: 'page_location',
    cited_text: 'ping is answered by pong',
    document_index: 0,
    document_title: document['title'] ?? null,
    start_page_number: 1,
    end_page_number: 2,
  }
  return { type: 'text', text: 'pong', citations: [citation] }
}

const SEARCHED: readonly JsonObject[] = [
  { type: 'server_tool_use', id: 'srvtoolu_01', name: 'web_search', input: { query: 'ping' } },
  {
    type: 'web_search_tool_result',
    tool_use_id: 'srvtoolu_01',
    content: [
      { type: 'web_search_result', url: 'https://ping.test/', title: 'Ping', encrypted_content: 'Eq' },
    ],
  },
  { type: 'text', text: 'It is ' },
  {
    type: 'text',
    text: 'pong',
    citations: [
      {
        type: 'web_search_result_location',
        url: 'https://ping.test/',
        title: 'Ping',
        encrypted_index: 'Eo8B',
        cited_text: 'pong',
      },
    ],
  },
]
