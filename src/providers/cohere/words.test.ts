import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { test } from 'node:test'
import { cohereChatStream, cohereChatV2, wrongWords } from '../../fake-provider/cohere-chat.ts'
import { createSseParser } from '../../transport/sse.ts'
import type { JsonObject } from '../../core/json.ts'
import type { ChatRequest } from '../../core/mode.ts'
import type { Target } from '../adapter.ts'
import { cohereChat } from './chat.ts'
import { cohereEmbed } from './embed.ts'

/** What Cohere's own client checks requests and answers by. */
interface Schema {
  parse(json: unknown, options: object): { readonly ok: boolean; readonly errors?: unknown }
}

const require = createRequire(import.meta.url)
const FOLDER = join(import.meta.dirname, '../../../node_modules/cohere-ai/dist/serialization/resources/v2')

function schemaOf(name: string, place: string): Schema {
  const file: unknown = require(join(FOLDER, place, `${name}.js`))
  const schema: unknown = typeof file === 'object' && file !== null ? Reflect.get(file, name) : undefined
  assert.ok(isSchema(schema), name)
  return schema
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, 'parse') === 'function'
}

function assertFits(schema: Schema, json: unknown, what: string): void {
  assert.deepEqual(
    schema.parse(json, { unrecognizedObjectKeys: 'fail' }),
    { ...schema.parse(json, {}), ok: true },
    what,
  )
}

const TARGET: Target = {
  provider: 'cohere',
  model: 'command-a-03-2025',
  base: 'https://api.cohere.com',
  bodyDefaults: {},
}
const TOOL = { type: 'function', function: { name: 'f', strict: true } }
const CALL = { id: 'f_0', type: 'function', function: { name: 'f', arguments: '{}' } }
const PICTURE = { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==', detail: 'low' } }

const REQUESTS: readonly ChatRequest[] = [
  {
    messages: [
      { role: 'developer', content: 'be brief' },
      { role: 'user', name: 'ann', content: [{ type: 'text', text: 'what?' }, PICTURE] },
      { role: 'assistant', content: null, refusal: null, reasoning_content: 'hm', tool_calls: [CALL] },
      { role: 'tool', tool_call_id: 'f_0', content: '{"x":1}' },
      { role: 'assistant', content: 'well', annotations: [], reasoning_content: 'hm' },
      { role: 'user', content: 'and?' },
    ],
    tools: [TOOL],
    tool_choice: 'required',
    seed: 7,
    stop: 'x',
    top_p: 0.5,
    top_k: 5,
    logprobs: true,
    temperature: 0,
    max_completion_tokens: 9,
    reasoning_effort: 'low',
    documents: ['ping'],
    safety_mode: 'STRICT',
    priority: 1,
  },
  {
    messages: [{ role: 'user', content: 'ping' }],
    response_format: { type: 'json_schema', json_schema: { name: 'x', schema: { type: 'object' } } },
    thinking: { type: 'enabled', budget_tokens: 100 },
  },
  {
    messages: [{ role: 'user', content: 'ping' }],
    response_format: { type: 'json_object' },
    tools: [TOOL, { type: 'function', function: { name: 'g', parameters: {} } }],
    tool_choice: 'none',
    reasoning_effort: 'none',
  },
]

test('what Cohere is sent is what its own client would send, and what the double takes', () => {
  const schema = schemaOf('V2ChatRequest', 'client/requests')
  for (const request of REQUESTS) {
    const body: JsonObject = JSON.parse(String(cohereChat.encode(request, TARGET).body))
    assertFits(schema, body, JSON.stringify(body))
    assert.equal(wrongWords(body), undefined)
  }
  const embed = cohereEmbed.encode({ input: ['a'], dimensions: 256, user: 'u' }, TARGET)
  assertFits(schemaOf('V2EmbedRequest', 'client/requests'), JSON.parse(String(embed.body)), 'embed')
})

test("what the double says is what Cohere's own client expects", () => {
  const whole = schemaOf('V2ChatResponse', 'types')
  const event = schemaOf('V2ChatStreamResponse', 'types')
  const user = { messages: [{ role: 'user', content: 'ping' }] }
  for (const json of [
    user,
    { ...user, tools: [TOOL] },
    { ...user, documents: ['d'], thinking: { type: 'enabled' }, logprobs: true },
  ]) {
    assertFits(whole, cohereChatV2({ json }), 'a whole answer')
    const events = createSseParser().push(Buffer.from(cohereChatStream({ json }).join('')))
    // The guide shows more in a stream's start than the client knows.
    for (const { data, name } of events)
      if (data !== '[DONE]' && name !== 'message-start') assertFits(event, JSON.parse(data), data)
  }
})
