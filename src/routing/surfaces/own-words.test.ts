import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GatewayError } from '../../core/failure.ts'
import type { JsonObject } from '../../core/json.ts'
import { inOwnWords } from '../answer/explain.ts'
import { generateDictionary, messagesDictionary, responsesDictionary } from './dictionaries.ts'
import { chatOfGenerate } from './generate-request.ts'
import { chatOfMessages } from './messages-request.ts'
import { ownName } from './own-words.ts'
import type { Places } from './placed.ts'
import { chatOfResponses } from './responses-request.ts'
import type { SurfaceWords } from './surface.ts'

const PNG = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AA==' } } as const
const SCHEMA = { type: 'object', properties: { a: { type: 'string' } } } as const

const MESSAGES: JsonObject = {
  model: 'm',
  max_tokens: 2_000,
  system: [{ type: 'text', text: 'Be brief.' }],
  messages: [
    { role: 'user', content: 'ping' },
    {
      role: 'assistant',
      content: [
        { type: 'text', text: 'so' },
        { type: 'tool_use', id: 't', name: 'f', input: {} },
      ],
    },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'here' },
        { type: 'tool_result', tool_use_id: 't', content: [{ type: 'text', text: 'rain' }, PNG] },
        PNG,
      ],
    },
  ],
  tools: [
    { type: 'web_search_20250305', name: 'web_search' },
    { name: 'f', input_schema: SCHEMA },
  ],
  thinking: { type: 'enabled', budget_tokens: 1_500 },
  output_config: { format: { type: 'json_schema', schema: SCHEMA } },
}

const RESPONSES: JsonObject = {
  model: 'm',
  instructions: 'Be brief.',
  input: [
    { role: 'user', content: [{ type: 'input_text', text: 'ping' }] },
    { role: 'assistant', content: [{ type: 'output_text', text: 'so' }] },
    { type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' },
    {
      type: 'function_call_output',
      call_id: 'c',
      output: [
        { type: 'input_text', text: 'rain' },
        { type: 'input_image', image_url: 'data:image/png;base64,AA==' },
      ],
    },
    {
      role: 'user',
      content: [
        { type: 'input_text', text: 'and' },
        { type: 'input_image', image_url: 'data:image/png;base64,AA==' },
      ],
    },
  ],
  tools: [{ type: 'web_search' }, { type: 'function', name: 'f', parameters: SCHEMA }],
}

const GENERATE: JsonObject = {
  systemInstruction: { parts: [{ text: 'Be brief.' }] },
  contents: [
    { role: 'user', parts: [{ text: 'ping' }] },
    { role: 'model', parts: [{ text: 'so' }, { functionCall: { name: 'f', args: {} } }] },
    {
      role: 'user',
      parts: [
        { functionResponse: { name: 'f', response: { a: 1 } } },
        { text: 'and' },
        { inlineData: { mimeType: 'image/png', data: 'AA==' } },
      ],
    },
  ],
  tools: [
    { googleSearch: {} },
    { functionDeclarations: [{ name: 'e' }, { name: 'f', parametersJsonSchema: SCHEMA }] },
  ],
  generationConfig: { responseMimeType: 'application/json', responseJsonSchema: SCHEMA },
}

const M = { asked: MESSAGES, request: chatOfMessages, dictionary: messagesDictionary }
const R = { asked: RESPONSES, request: chatOfResponses, dictionary: responsesDictionary }
const G = { asked: GENERATE, request: chatOfGenerate, dictionary: generateDictionary }
type Asked = Pick<SurfaceWords, 'request' | 'dictionary'> & { readonly asked: JsonObject }

function own({ asked, request, dictionary }: Asked, path: string): string {
  const places: Places = new Map()
  const ground = { knownModel: 'm', isRelayed: false, places }
  return ownName(dictionary(asked), path, () => ({ chat: request(asked, ground, false).body, places }))
}

/** A path of the chat, and what the client called what stands there. */
const NAMES: readonly (readonly [Asked, string, string])[] = [
  [M, 'max_completion_tokens', 'max_tokens'],
  [M, 'stop[0]', 'stop_sequences[0]'],
  [M, 'reasoning_effort', 'thinking.budget_tokens'],
  [M, 'response_format.json_schema.schema.properties.a', 'output_config.format.schema.properties.a'],
  [M, 'parallel_tool_calls', 'tool_choice.disable_parallel_tool_use'],
  [M, 'temperature', 'temperature'],
  [M, 'messages[0].content[0]', 'system[0]'],
  [M, 'messages[0].content', 'system'],
  [M, 'messages[1]', 'messages[0]'],
  [M, 'messages[2].tool_calls[0].function.arguments', 'messages[1].content[1].input'],
  [M, 'messages[3].tool_call_id', 'messages[2].content[1].tool_use_id'],
  [M, 'messages[4].content[0].image_url.url', 'messages[2].content[1].content[1].source'],
  [M, 'messages[4].content[1]', 'messages[2].content[0]'],
  [M, 'messages[4].content[2].image_url', 'messages[2].content[2].source'],
  [M, 'messages[9].content[0]', 'messages[9].content[0]'],
  [M, 'tools[0].function.parameters.properties', 'tools[1].input_schema.properties'],
  [M, 'tools[0].function', 'tools[1]'],
  [M, 'tools[].function.strict', 'tools[].strict'],
  [R, 'max_tokens', 'max_output_tokens'],
  [R, 'messages', 'input'],
  [R, 'verbosity', 'text.verbosity'],
  [R, 'response_format.json_schema.schema', 'text.format.schema'],
  [R, 'response_format.type', 'text.format.type'],
  [R, 'messages[0].content', 'instructions'],
  [R, 'messages[1].content[0]', 'input[0].content[0]'],
  [R, 'messages[2].tool_calls[0].function.arguments', 'input[2].arguments'],
  [R, 'messages[2].content', 'input[1].content'],
  [R, 'messages[3].tool_call_id', 'input[3].call_id'],
  [R, 'messages[4].content[0].image_url', 'input[3].output[1].image_url'],
  [R, 'messages[5].content[1].image_url.detail', 'input[4].content[1].detail'],
  [R, 'messages[].content[].image_url.detail', 'input[].content[].detail'],
  [R, 'tools[0].function.name', 'tools[1].name'],
  [G, 'max_tokens', 'generationConfig.maxOutputTokens'],
  [G, 'top_k', 'generationConfig.topK'],
  [G, 'messages', 'contents'],
  [G, 'messages[0].content', 'systemInstruction'],
  [G, 'messages[1].content', 'contents[0].parts'],
  [G, 'messages[2].tool_calls[0].function.name', 'contents[].parts[].functionCall.name'],
  [G, 'messages[2].tool_calls[0].function.arguments', 'contents[1].parts[1].functionCall.args'],
  [G, 'messages[3].tool_call_id', 'contents[2].parts[0].functionResponse'],
  [G, 'messages[4].content[1].image_url', 'contents[2].parts[2]'],
  [G, 'messages[].content[].image_url.detail', 'contents[].parts[].mediaResolution'],
  [G, 'tools[1].function.parameters', 'tools[1].functionDeclarations[1].parameters'],
  [G, 'tools[].function.strict', 'toolConfig.functionCallingConfig.mode'],
  [G, 'response_format.json_schema.schema.properties', 'generationConfig.responseJsonSchema.properties'],
]

for (const [asked, path, name] of NAMES) {
  const surface = asked === M ? 'Messages' : asked === R ? 'Responses' : 'generateContent'
  test(`in ${surface} ${path} of a chat is ${name}`, () => assert.equal(own(asked, path), name))
}

test('a refusal of ours is told in the client’s words, and what an upstream says stays, with them beside it', () => {
  const words = { own: (path: string) => own(R, path) }
  const ours = new GatewayError('bad_request', "'messages[5].content[1]' holds no address of a file.", {
    param: 'messages[5].content[1]',
    source: 'client',
  })
  const told = inOwnWords(ours, words)
  assert.deepEqual(
    [told.message, told.param, told.source, told.clientStatus],
    ["'input[4].content[1]' holds no address of a file.", 'input[4].content[1]', 'client', 400],
  )
  const theirs = new GatewayError('bad_request', 'answered 422: max_tokens is too large', {
    param: 'max_tokens',
    upstreamStatus: 422,
  })
  const passed = inOwnWords(theirs, words)
  assert.equal(
    passed.message,
    "answered 422: max_tokens is too large ('max_tokens' is what your 'max_output_tokens' became)",
  )
  assert.deepEqual([passed.param, passed.clientStatus, passed.source], ['max_output_tokens', 422, 'upstream'])
  const other = new GatewayError('bad_request', "'temperature' is too high", { param: 'temperature' })
  assert.equal(inOwnWords(other, words), other)
  const failed = new GatewayError('server_error', "'max_tokens'", { param: 'max_tokens' })
  assert.equal(inOwnWords(failed, words), failed)
})
