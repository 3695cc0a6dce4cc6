import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EventStreamCodec } from '@smithy/eventstream-codec'
import { array, assert as assertProperty, nat, property } from 'fast-check'
import type { JsonObject } from '../../core/json.ts'
import type { ChatChunk } from '../../core/mode.ts'
import { answerOf } from '../adapter.contract.ts'
import type { Target } from '../adapter.ts'
import { bedrockChat } from './chat.ts'
import { parseModel, targetModel } from './model-id.ts'

const ID = 'us.anthropic.claude-sonnet-4-20250514-v1:0'
const TARGET: Target = {
  provider: 'bedrock',
  model: `invoke/${ID}`,
  base: 'https://bedrock.test',
  bodyDefaults: {},
}

test("a claude is invoked in Anthropic's words, the model in the path alone", () => {
  const messages = [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: 'ping' },
  ]
  const whole = bedrockChat.encode({ messages, max_tokens: 16, seed: 1, service_tier: 'auto' }, TARGET)
  assert.equal(whole.url, 'https://bedrock.test/model/us.anthropic.claude-sonnet-4-20250514-v1%3A0/invoke')
  const { messages: _, system: __, ...rest } = JSON.parse(String(whole.body))
  assert.deepEqual(rest, { anthropic_version: 'bedrock-2023-05-31', max_tokens: 16 })
  assert.deepEqual(whole.dropped, ['seed'])
  const stream = bedrockChat.encode({ messages, stream: true }, TARGET)
  assert.ok(stream.url.endsWith('/invoke-with-response-stream'))
  assert.equal('stream' in JSON.parse(String(stream.body)), false)
})

test('the end of what is cached is marked on the last block: there nobody looks for it', () => {
  const mark = { type: 'ephemeral' }
  const messages = [
    { role: 'user', content: 'ping' },
    { role: 'assistant', content: 'pong' },
    { role: 'user', content: 'again' },
  ]
  const { body } = bedrockChat.encode({ messages, cache_control: mark }, TARGET)
  const { cache_control: top, messages: sent } = JSON.parse(String(body))
  assert.equal(top, undefined)
  const marked = sent.map(({ content }: { content: readonly JsonObject[] }) => content[0]?.['cache_control'])
  assert.deepEqual(marked, [undefined, undefined, mark])
})

test('only claudes are invoked: others speak Converse whatever is asked for', () => {
  for (const [written, model] of [
    [`invoke/${ID}`, `invoke/${ID}`],
    ['invoke/meta.llama3-8b-instruct-v1:0', 'meta.llama3-8b-instruct-v1:0'],
    [ID, ID],
  ] as const) {
    const parsed = parseModel(written)
    assert.ok(typeof parsed !== 'string')
    assert.equal(targetModel(parsed), model)
  }
})

test("an invoked claude's answer becomes OpenAI's", () => {
  const body = {
    id: 'msg_bdrk_1',
    type: 'message',
    role: 'assistant',
    model: 'claude-sonnet-4-20250514',
    content: [{ type: 'text', text: 'pong' }],
    stop_reason: 'end_turn',
    usage: { input_tokens: 5, output_tokens: 1 },
  }
  const answer = bedrockChat.decode(answerOf(body), TARGET)
  assert.equal(answer.choices[0]?.message['content'], 'pong')
  assert.equal(answer.choices[0]?.finish_reason, 'stop')
  assert.throws(() => bedrockChat.decode(answerOf({ output: {} }), TARGET), { kind: 'wrong_shape' })
})

const codec = new EventStreamCodec(
  (bytes) => (typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString()),
  (text) => Buffer.from(text),
)

function chunkOf(event: JsonObject): Buffer {
  const text = (value: string) => ({ type: 'string' as const, value })
  const bytes = Buffer.from(JSON.stringify(event)).toString('base64')
  return Buffer.from(
    codec.encode({
      headers: { ':message-type': text('event'), ':event-type': text('chunk') },
      body: Buffer.from(JSON.stringify({ bytes, p: 'abcdef' })),
    }),
  )
}

/** Written after https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages-request-response.html. */
const STREAM = Buffer.concat(
  [
    { type: 'message_start', message: { id: 'm', model: 'c', usage: { input_tokens: 5, output_tokens: 0 } } },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'pö' } },
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 1 } },
    { type: 'message_stop' },
  ].map(chunkOf),
)

function streamed(pieces: readonly Uint8Array[]): readonly ChatChunk[] {
  const decoder = bedrockChat.openStream?.(TARGET)
  assert.ok(decoder !== undefined)
  return [...pieces.flatMap((piece) => decoder.push(piece)), ...decoder.end()]
}

test('an invoked stream is read however the network cuts it', () => {
  const whole = streamed([STREAM])
  assert.deepEqual(
    whole.map(({ choices }) => choices[0]?.['delta']),
    [{ role: 'assistant', content: '' }, { content: 'pö' }, {}, undefined],
  )
  assert.equal(whole.at(-1)?.usage?.['total_tokens'], 6)
  assertProperty(
    property(array(nat({ max: STREAM.length }), { maxLength: 20 }), (cuts) => {
      const places = [0, ...cuts.sort((a, b) => a - b), STREAM.length]
      assert.deepEqual(streamed(places.slice(1).map((end, at) => STREAM.subarray(places[at], end))), whole)
    }),
  )
  assert.throws(() => streamed([STREAM.subarray(0, 200)]), { kind: 'cut' })
})
