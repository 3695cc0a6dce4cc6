import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Anthropic } from '@anthropic-ai/sdk'
import { ask, fakeForTests, json } from '../fixtures.ts'

const fake = await fakeForTests()
const client = new Anthropic({ apiKey: 'sk-ant-1', baseURL: `${fake.url}/ok/as-anthropic`, maxRetries: 0 })
const PING = {
  model: 'claude-haiku-4-5',
  max_tokens: 16,
  messages: [{ role: 'user', content: 'ping' }],
} as const

test("Anthropic's own client is answered", async () => {
  const message = await client.messages.create({ ...PING, messages: [...PING.messages] })
  assert.deepEqual(
    message.content.map((block) => block.type === 'text' && block.text),
    ['pong'],
  )
  const stream = client.messages.stream({
    ...PING,
    messages: [...PING.messages],
    tools: [{ name: 'weather', input_schema: { type: 'object', required: ['city'] } }],
  })
  const { content, stop_reason: reason } = await stream.finalMessage()
  assert.equal(reason, 'tool_use')
  assert.deepEqual(
    content.map((block) => block.type === 'tool_use' && block.input),
    [{ city: 'Paris' }],
  )
  const { input_tokens: tokens } = await client.messages.countTokens({
    model: PING.model,
    messages: [...PING.messages],
  })
  assert.ok(tokens > 0)
  assert.deepEqual(
    (await client.models.list()).data.map(({ id }) => id),
    ['claude-haiku-4-5-20251001'],
  )
  assert.deepEqual((await client.messages.batches.list()).data, [])
})

const HEADERS = { 'x-api-key': 'sk-ant-1', 'anthropic-version': '2023-06-01' }
const TOOL = { name: 'f', input_schema: { type: 'object' } }
const CALL = { type: 'tool_use', id: 'toolu_1', name: 'f', input: {} }

/** A change to a good body, and what Anthropic says of it. */
const REFUSED: readonly (readonly [Readonly<Record<string, unknown>>, RegExp])[] = [
  [{ max_tokens: undefined }, /^max_tokens: Field required$/],
  [{ max_tokens: 0 }, /greater than or equal to 1/],
  [{ colour: 'red' }, /^colour: Extra inputs are not permitted$/],
  [{ temperature: 1.5 }, /^temperature: Input should be less than or equal to 1$/],
  [{ messages: [] }, /at least one message/],
  [{ messages: [{ role: 'system', content: 'x' }] }, /^messages\.0\.role: Input should be/],
  [{ messages: [{ role: 'assistant', content: 'x' }] }, /first message must use the "user" role/],
  [{ messages: [{ role: 'user', content: 'x', name: 'y' }] }, /^messages\.0\.name: Extra inputs/],
  [{ messages: [{ role: 'user', content: [{ type: 'text', text: '' }] }] }, /must be non-empty/],
  [
    { messages: [{ role: 'user', content: [{ type: 'image', source: { type: 'url', url: 'http://h/' } }] }] },
    /Only HTTPS URLs/,
  ],
  [{ messages: [{ role: 'user', content: [{ type: 'image_url', image_url: 'x' }] }] }, /does not match any/],
  [{ messages: [...PING.messages, { role: 'assistant', content: [CALL] }] }, /without `tool_result` blocks/],
  [
    { messages: [{ role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_9', content: '' }] }] },
    /unexpected `tool_use_id`/,
  ],
  [{ tools: [{ type: 'function', function: { name: 'f' } }] }, /^tools\.0\.custom\.name: Field required$/],
  [{ tools: [TOOL], tool_choice: { type: 'required' } }, /^tool_choice: Input tag/],
  [{ tool_choice: { type: 'auto' } }, /only be specified while providing tools/],
  [{ thinking: { type: 'enabled', budget_tokens: 1_024 } }, /`max_tokens` must be greater/],
  [
    { model: 'claude-sonnet-4-5-20250929', thinking: { type: 'adaptive' } },
    /adaptive thinking is not supported on this model/,
  ],
  [
    { model: 'claude-opus-5', thinking: { type: 'enabled', budget_tokens: 1_024 } },
    /is not supported for this model/,
  ],
  [
    { output_config: { format: { type: 'json_schema', schema: { type: 'object' } } } },
    /additionalProperties/,
  ],
  [{ metadata: { team: 'a' } }, /^metadata\.team: Extra inputs/],
  [{ stop_sequences: [' '] }, /non-whitespace/],
]

for (const [change, words] of REFUSED) {
  test(`${JSON.stringify(change)} is refused in Anthropic's words`, async () => {
    const url = `${fake.url}/ok/as-anthropic/v1/messages`
    const got = await ask(url, { headers: HEADERS, body: { ...PING, ...change } })
    assert.equal(got.status, 400, got.text)
    const { type, error } = Object(json(got))
    assert.deepEqual([type, error.type], ['error', 'invalid_request_error'])
    assert.match(error.message, words)
  })
}

test('keys, versions, paths and what the newest version lost are looked at', async () => {
  const at = async (path: string, headers: Readonly<Record<string, string>>, body?: object) =>
    (await ask(`${fake.url}/ok/as-anthropic${path}`, { headers, ...(body !== undefined && { body }) })).status
  assert.equal(await at('/v1/models', HEADERS), 200)
  assert.equal(await at('/v1/models', { ...HEADERS, 'x-api-key': '', authorization: 'Basic x' }), 401)
  assert.equal(await at('/v1/models', { 'x-api-key': 'sk-ant-1' }), 400)
  assert.equal(await at('/v1/models?page=2', HEADERS), 400)
  assert.equal(await at('/v1/complete', HEADERS, PING), 404)
  const newest = { ...HEADERS, 'anthropic-version': '2026-10-21' }
  assert.equal(await at('/v1/messages', HEADERS, { ...PING, temperature: 1 }), 200)
  assert.equal(await at('/v1/messages', newest, { ...PING, temperature: 1 }), 400)
})
