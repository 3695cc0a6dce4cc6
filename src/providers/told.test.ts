import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { JsonObject } from '../core/json.ts'
import type { ChatRequest } from '../core/mode.ts'
import { fateOf, isAccountedFor, strangers } from './strangers.fixture.ts'

const MARK = { type: 'ephemeral' } as const
const PICTURE = 'data:image/png;base64,iVBORw0KGgo='
const PDF = 'data:application/pdf;base64,JVBERi0='
const SCHEMA = { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] } as const

/** A request of one user's message, with a member more. */
const user = (part: JsonObject, more: JsonObject = {}): ChatRequest => ({
  messages: [{ role: 'user', content: [part], ...more }],
})
const text = (more: JsonObject = {}): JsonObject => ({ type: 'text', text: 'ping', ...more })
const picture = (more: JsonObject = {}): JsonObject => ({
  type: 'image_url',
  image_url: { url: PICTURE, ...more },
})
const file = (more: JsonObject = {}): JsonObject => ({ type: 'file', file: { file_data: PDF, ...more } })
const top = (more: JsonObject = {}): ChatRequest => ({
  messages: [{ role: 'user', content: 'ping' }],
  ...more,
})
const weather = (more: JsonObject = {}): JsonObject => ({ name: 'weather', parameters: SCHEMA, ...more })
const tool = (named: JsonObject = {}, more: JsonObject = {}): JsonObject => ({
  type: 'function',
  function: weather(named),
  ...more,
})
const tools = (...listed: readonly JsonObject[]): ChatRequest => top({ tools: [...listed] })
const choice = (value: JsonObject | string): ChatRequest =>
  top({ tools: [tool(), tool({ name: 'time' })], tool_choice: value })
const named = { type: 'function', function: { name: 'weather' } } as const
const format = (more: JsonObject = {}): ChatRequest =>
  top({ response_format: { type: 'json_schema', json_schema: { name: 'a', schema: SCHEMA, ...more } } })
const earlier = (message: JsonObject, ...after: readonly ChatRequest['messages'][number][]): ChatRequest => ({
  messages: [
    { role: 'user', content: 'ping' },
    { role: 'assistant', ...message },
    ...after,
    { role: 'user', content: 'and?' },
  ],
})
const call = (more: JsonObject = {}): JsonObject => ({
  id: 'call_1',
  type: 'function',
  function: { name: 'weather', arguments: '{"a":"b"}' },
  ...more,
})
const called = (calls: JsonObject, result: JsonObject = {}): ChatRequest => ({
  ...earlier(
    { content: null, tool_calls: [calls] },
    {
      role: 'tool',
      tool_call_id: 'call_1',
      content: 'rain',
      ...result,
    },
  ),
  tools: [tool()],
})
const search = (more: JsonObject): ChatRequest => top({ web_search_options: more })
const place = (approximate: JsonObject): ChatRequest =>
  search({ user_location: { type: 'approximate', approximate } })

/**
 * Every member below the top level of OpenAI's chat (its specification of 2026-11), and the marks of caches that
 * Anthropic's clients set everywhere: a request without it, and with it.
 */
const MEMBERS: readonly (readonly [path: string, without: ChatRequest, withIt: ChatRequest])[] = [
  ['messages[].name', user(text()), user(text(), { name: 'ann' })],
  ['messages[].cache_control', user(text()), user(text(), { cache_control: MARK })],
  ['messages[].content[].cache_control', user(text()), user(text({ cache_control: MARK }))],
  [
    'messages[].content[].cache_control.ttl',
    user(text({ cache_control: MARK })),
    user(text({ cache_control: { ...MARK, ttl: '1h' } })),
  ],
  [
    'messages[].content[].prompt_cache_breakpoint',
    user(text()),
    user(text({ prompt_cache_breakpoint: { mode: 'explicit' } })),
  ],
  ['messages[].content[].image_url.detail', user(picture()), user(picture({ detail: 'low' }))],
  ['messages[].content[].file.filename', user(file()), user(file({ filename: 'report.pdf' }))],
  ['messages[].content[].file.file_id', user(text()), user({ type: 'file', file: { file_id: 'file-1' } })],
  [
    'messages[].content[].input_audio',
    user(text()),
    user({ type: 'input_audio', input_audio: { data: 'AA==', format: 'wav' } }),
  ],
  ['messages[].refusal', earlier({ content: 'pong' }), earlier({ content: 'pong', refusal: 'No.' })],
  ['messages[].audio', earlier({ content: 'pong' }), earlier({ content: 'pong', audio: { id: 'a' } })],
  [
    'messages[].function_call',
    earlier({ content: 'pong' }),
    earlier({ content: 'pong', function_call: { name: 'weather', arguments: '{}' } }),
  ],
  ['messages[].tool_calls[].function.arguments', called(call({ function: named.function })), called(call())],
  [
    'messages[].tool_calls[].custom',
    earlier({ content: 'pong' }),
    earlier({
      content: 'pong',
      tool_calls: [{ id: 'c', type: 'custom', custom: { name: 'x', input: 'y' } }],
    }),
  ],
  ['messages[].tool_calls[].cache_control', called(call()), called(call({ cache_control: MARK }))],
  ['messages[].cache_control', called(call()), called(call(), { cache_control: MARK })],
  [
    'messages[].content[].cache_control',
    called(call(), { content: [text()] }),
    called(call(), { content: [text({ cache_control: MARK })] }),
  ],
  ['tools[].cache_control', tools(tool()), tools(tool({}, { cache_control: MARK }))],
  ['tools[].function.cache_control', tools(tool()), tools(tool({ cache_control: MARK }))],
  ['tools[].function.description', tools(tool()), tools(tool({ description: 'Tells the weather.' }))],
  ['tools[].function.parameters', tools(tool({ parameters: { type: 'object' } })), tools(tool())],
  [
    'tools[].function.strict',
    tools(tool(), tool({ name: 'b' })),
    tools(tool(), tool({ name: 'b', strict: true })),
  ],
  ['tools[].custom', tools(tool()), tools(tool(), { type: 'custom', custom: { name: 'x' } })],
  ['tool_choice: none', choice('auto'), choice('none')],
  ['tool_choice', choice('auto'), choice('required')],
  ['tool_choice.function', choice('required'), choice(named)],
  [
    'tool_choice.allowed_tools',
    choice('auto'),
    choice({ type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: [named] } }),
  ],
  [
    'tool_choice.allowed_tools.mode',
    choice({ type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: [named] } }),
    choice({ type: 'allowed_tools', allowed_tools: { mode: 'required', tools: [named] } }),
  ],
  ['tool_choice.custom', choice('auto'), choice({ type: 'custom', custom: { name: 'x' } })],
  ['response_format', top(), top({ response_format: { type: 'json_object' } })],
  ['response_format.json_schema', top(), format()],
  [
    'response_format.json_schema.schema',
    format(),
    format({ schema: { type: 'object', properties: { b: { type: 'string' } } } }),
  ],
  ['response_format.json_schema.name', format(), format({ name: 'b' })],
  ['response_format.json_schema.description', format(), format({ description: 'The answer.' })],
  ['response_format.json_schema.strict', format(), format({ strict: true })],
  ['web_search_options', top(), search({})],
  ['web_search_options.search_context_size', search({}), search({ search_context_size: 'high' })],
  ['web_search_options.user_location', search({}), place({ country: 'DE' })],
  [
    'web_search_options.user_location.approximate.city',
    place({ country: 'DE' }),
    place({ country: 'DE', city: 'Bonn' }),
  ],
  ['audio', top(), top({ audio: { voice: 'alloy', format: 'wav' } })],
  ['moderation', top(), top({ moderation: { model: 'omni-moderation-latest' } })],
  ['functions', top(), top({ functions: [weather()] })],
  ['function_call', top(), top({ function_call: { name: 'weather' } })],
  ['prediction', top(), top({ prediction: { type: 'content', content: 'pong' } })],
  ['metadata', top(), top({ metadata: { a: 'b' } })],
  ['prompt_cache_options', top(), top({ prompt_cache_options: { mode: 'explicit', ttl: '30m' } })],
  ['stream_options.include_obfuscation', top(), top({ stream_options: { include_obfuscation: true } })],
]

/** Members that change no answer, why, and, where others are told them, to whom they are not. */
const CHANGE_NO_ANSWER: Readonly<Record<string, readonly [why: string, of?: RegExp]>> = {
  prediction: ['what the answer may look like makes it come sooner'],
  metadata: ['for the owner’s lists of what was asked'],
  prompt_cache_options: ['what is cached, and how long, is a matter of cost'],
  'messages[].content[].prompt_cache_breakpoint': ['the same, and a mark of OpenAI’s own caches'],
  'stream_options.include_obfuscation': ['padding of events'],
  'response_format.json_schema.name': ['a label that OpenAI demands'],
  'response_format.json_schema.strict': [
    'a schema that is taken at all is kept to',
    /^(?:anthropic\/claude-opus|azure_ai|bedrock\/(?:invoke|anthropic\.claude-sonnet-4|meta)|cohere|gemini|ollama|vertex_ai\/(?:gemini|claude))/,
  ],
  'messages[].content[].file.filename': ['a label of what is carried'],
}

function changesNothing(path: string, name: string): boolean {
  const [why, of] = CHANGE_NO_ANSWER[path] ?? []
  return why !== undefined && (of === undefined || of.test(name))
}

describe('below the top level', async () => {
  for (const stranger of await strangers()) {
    test(`${stranger.name}: nothing of OpenAI’s chat is lost without a word`, () => {
      const lost = MEMBERS.filter(([path, without, withIt]) => {
        if (changesNothing(path, stranger.name)) return false
        const bare = fateOf(stranger, () => without)
        // Of tools that are not told none is called.
        if (path === 'tool_choice: none' && bare.named.includes('tools')) return false
        return !isAccountedFor(
          path,
          bare,
          fateOf(stranger, () => withIt),
        )
      })
      assert.deepEqual(
        lost.map(([path]) => path),
        [],
      )
    })
  }
})
