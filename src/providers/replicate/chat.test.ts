import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ChatRequest } from '../../core/mode.ts'
import type { Encoded, NextRequest, Target } from '../adapter.ts'
import { answerOf } from '../adapter.contract.ts'
import { streamContract } from '../stream.contract.ts'
import { replicateChat } from './chat.ts'
import { openReplicateStream } from './stream.ts'

const targetOf = (model: string, base = 'https://api.replicate.com/v1'): Target => ({
  provider: 'replicate',
  model,
  base,
  bodyDefaults: {},
})
const LLAMA = 'meta/meta-llama-3-8b-instruct'
const PING = { role: 'user', content: 'ping' }

function encoded(request: Partial<ChatRequest>, model = LLAMA): Encoded {
  return replicateChat.encode({ messages: [PING], ...request }, targetOf(model))
}

const inputOf = (request: Partial<ChatRequest>, model = LLAMA): unknown =>
  JSON.parse(String(encoded(request, model).body)).input

test('a model, a version and somebody’s own hardware are asked at places of their own', () => {
  const version = '0f'.repeat(32)
  const root = 'https://api.replicate.com/v1'
  for (const [model, url, named] of [
    [LLAMA, `${root}/models/meta/meta-llama-3-8b-instruct/predictions`, undefined],
    [`owner/name:${version}`, `${root}/predictions`, version],
    [version, `${root}/predictions`, version],
    ['deployments/acme/llama', `${root}/deployments/acme/llama/predictions`, undefined],
  ] as const) {
    const wire = encoded({}, model)
    assert.equal(wire.url, url)
    assert.equal(JSON.parse(String(wire.body)).version, named)
    assert.equal(wire.headers['prefer'], 'wait')
  }
  for (const model of ['a/../b', '..', 'a//b', './a'])
    assert.throws(() => encoded({}, model), { kind: 'bad_request', param: 'model' })
  const pasted = replicateChat.encode({ messages: [PING] }, targetOf(LLAMA, `${root}/models`))
  assert.equal(pasted.url, `${root}/models/meta/meta-llama-3-8b-instruct/predictions`)
})

test('one message is the prompt, a conversation is written down, the system has words of its own', () => {
  assert.deepEqual(inputOf({}), { prompt: 'ping' })
  const messages = [
    { role: 'system', content: 'Be short.' },
    PING,
    { role: 'assistant', content: 'pong' },
    { role: 'user', content: [{ type: 'text', text: 'again' }] },
  ]
  assert.deepEqual(inputOf({ messages }), {
    prompt: 'User: ping\n\nAssistant: pong\n\nUser: again\n\nAssistant:',
    system_prompt: 'Be short.',
  })
})

test('budgets, stop words and pictures have the names of each maker', () => {
  for (const [model, name] of [
    [LLAMA, 'max_tokens'],
    ['meta/llama-2-70b-chat', 'max_new_tokens'],
    ['openai/gpt-5', 'max_completion_tokens'],
    ['anthropic/claude-4-sonnet', 'max_tokens'],
    ['google/gemini-2.5-flash', 'max_output_tokens'],
    ['joehoover/vicuna-13b', 'max_length'],
  ] as const)
    assert.deepEqual(inputOf({ max_tokens: 5 }, model), { prompt: 'ping', [name]: 5 }, model)
  assert.deepEqual(inputOf({ max_completion_tokens: 7, stop: ['a', 'b'], top_k: 3, user: 'u' }), {
    prompt: 'ping',
    max_tokens: 7,
    stop_sequences: 'a,b',
    top_k: 3,
  })
  const picture = { type: 'image_url', image_url: { url: 'https://pictures.test/a.png' } }
  const messages = [{ role: 'user', content: [{ type: 'text', text: 'look' }, picture] }]
  assert.deepEqual(inputOf({ messages }, 'openai/gpt-5'), {
    prompt: 'look',
    image_input: ['https://pictures.test/a.png'],
  })
  assert.deepEqual(inputOf({ messages }, 'anthropic/claude-4-sonnet'), {
    prompt: 'look',
    image: 'https://pictures.test/a.png',
  })
})

test('what cannot be said is named, or refused where it is in a message', () => {
  const tools = [{ type: 'function', function: { name: 'f' } }]
  assert.deepEqual(
    encoded({ tools, n: 2, response_format: { type: 'json_object' }, logprobs: true, stop: 'a,b' }).dropped,
    ['tools', 'n', 'response_format', 'logprobs', 'stop'],
  )
  assert.equal(
    encoded({ tools: [], n: 1, response_format: { type: 'text' }, logprobs: false, stream: true }).dropped,
    undefined,
  )
  assert.deepEqual(encoded({ verbosity: 'low', thinking: { type: 'enabled' } }).dropped, [
    'verbosity',
    'thinking',
  ])
  assert.deepEqual(inputOf({ verbosity: 'low' }, 'openai/gpt-5'), { prompt: 'ping', verbosity: 'low' })
  const picture = { type: 'image_url', image_url: 'https://pictures.test/a.png' }
  for (const messages of [
    [{ role: 'tool', content: 'x', tool_call_id: '1' }, PING],
    [PING, { role: 'assistant', content: null, tool_calls: [{ id: '1', function: { name: 'f' } }] }],
    [{ role: 'user', content: [{ type: 'input_audio', input_audio: {} }] }],
    [{ role: 'user', content: [picture] }],
  ])
    assert.throws(() => encoded({ messages }), { kind: 'bad_request', clientStatus: 400, param: 'messages' })
})

test('a prediction under way is looked at by its id, never where its answer points', () => {
  const next = (body: object) =>
    replicateChat.next?.(answerOf(JSON.stringify(body)), { messages: [PING] }, targetOf(LLAMA), 0)
  const urls = { get: 'https://elsewhere.invalid/steal' }
  for (const status of ['starting', 'processing'])
    assert.deepEqual(next({ id: 'p/1', status, urls }), {
      request: {
        method: 'GET',
        url: 'https://api.replicate.com/v1/predictions/p%2F1',
        headers: { accept: 'application/json' },
      },
      afterMs: 500,
    })
  for (const body of [
    { id: 'p', status: 'succeeded' },
    { status: 'starting' },
    { id: 'p' },
    { id: 'p', status: 'failed' },
  ])
    assert.equal(next(body), undefined)
})

test('a stream is read on the deployment’s own host with the key, on Replicate’s without it, and nowhere else', () => {
  const streamOf = (stream: unknown, more: object = {}, step = 0): NextRequest | undefined =>
    replicateChat.next?.(
      answerOf(JSON.stringify({ id: 'p', status: 'starting', urls: { stream } })),
      { messages: [PING], stream: true, ...more },
      targetOf(LLAMA),
      step,
    )
  const asked = (url: string, isKeyless: boolean): NextRequest => ({
    request: { method: 'GET', url, headers: { accept: 'text/event-stream', 'cache-control': 'no-store' } },
    afterMs: 0,
    stream: { isKeyless },
  })
  const foreign = 'https://stream.replicate.com/v1/files/bcwr-1'
  const older = 'https://streaming.api.replicate.com/v1/predictions/p'
  const own = 'https://api.replicate.com/v1/stream/p'
  assert.deepEqual(streamOf(foreign), asked(foreign, true))
  assert.deepEqual(streamOf(older), asked(older, true))
  assert.deepEqual(streamOf(own), asked(own, false))
  const look = {
    method: 'GET',
    url: 'https://api.replicate.com/v1/predictions/p',
    headers: { accept: 'application/json' },
  } as const
  assert.deepEqual(streamOf(own, { stream_options: { include_usage: true } })?.stream?.lastly, look)
  for (const url of [
    undefined,
    7,
    'no address',
    'http://stream.replicate.com/v1/files/1',
    'https://stream.replicate.com:8443/v1/files/1',
    'https://user:word@stream.replicate.com/v1/files/1',
    'https://user@api.replicate.com/v1/stream/p',
    'https://stream.replicate.com.evil.test/',
    'https://evil.test/stream.replicate.com',
    'http://169.254.169.254/latest/meta-data',
    'file:///etc/passwd',
    'http://api.replicate.com/v1/stream/p',
  ])
    assert.deepEqual(streamOf(url), { request: look, afterMs: 500 }, String(url))
  assert.deepEqual(streamOf(own, { stream: false })?.request, look)
  assert.deepEqual(streamOf(own, {}, 1), { request: look, afterMs: 700 })
  const { headers, body } = encoded({ stream: true })
  assert.deepEqual([headers['prefer'], JSON.parse(String(body)).stream], [undefined, true])
})

test('a prediction that nobody waits for any more is canceled, by its id, while it is under way', () => {
  const abandoned = (body: object) => replicateChat.abandon?.(answerOf(JSON.stringify(body)), targetOf(LLAMA))
  assert.deepEqual(abandoned({ id: 'p/1', status: 'processing', urls: { cancel: 'https://evil.test' } }), {
    method: 'POST',
    url: 'https://api.replicate.com/v1/predictions/p%2F1/cancel',
    headers: { accept: 'application/json' },
  })
  for (const body of [
    { id: 'p', status: 'succeeded' },
    { status: 'starting' },
    { id: '', status: 'starting' },
  ])
    assert.equal(abandoned(body), undefined)
})

const FIRST = answerOf(
  JSON.stringify({ id: 'p', status: 'starting', created_at: '2026-11-27T07:00:00.000Z' }),
)
const HEAD = { id: 'p', object: 'chat.completion.chunk', created: 1_795_762_800, model: LLAMA }
const piece = (delta: object, finish: string | null = null): object => ({
  ...HEAD,
  choices: [{ index: 0, delta, finish_reason: finish }],
})

// https://replicate.com/docs/topics/predictions/streaming, read 2026-11-27
streamContract(
  'a prediction’s stream',
  () => openReplicateStream(targetOf(LLAMA), FIRST),
  'event: output\nid: 1:0\ndata: Grüß\n\n: keep\n\nevent: logs\ndata: x\n\nevent: output\nid: 1:1\ndata:  Gott\ndata: \n\nevent: done\ndata: {}\n\n',
  [piece({ role: 'assistant', content: 'Grüß' }), piece({ content: ' Gott\n' }), piece({}, 'stop')],
)

test('a stream that did not end well is no answer, and its tokens stand in the prediction', () => {
  for (const [text, kind] of [
    ['event: error\ndata: {"detail":"CUDA out of memory"}\n\n', 'server_error'],
    ['event: error\ndata: {"detail":"flagged as sensitive"}\n\n', 'content_policy'],
    ['event: output\ndata: po\n\nevent: done\ndata: {"reason":"canceled"}\n\n', 'server_error'],
    ['event: output\ndata: po\n\nevent: done\ndata: {"reason":"error"}\n\n', 'server_error'],
    ['event: done\ndata: {}\n\n', 'empty'],
  ] as const)
    assert.throws(() => openReplicateStream(targetOf(LLAMA)).push(Buffer.from(text)), { kind }, text)
  const decoder = openReplicateStream(targetOf(LLAMA), FIRST)
  const metrics = { input_token_count: 5, output_token_count: 1 }
  const usage = { prompt_tokens: 5, completion_tokens: 1, total_tokens: 6 }
  assert.deepEqual(decoder.lastly?.(answerOf(JSON.stringify({ metrics }))), [{ ...HEAD, choices: [], usage }])
  assert.deepEqual(decoder.lastly?.(answerOf('<html>')), [])
})

test('an output is a text or pieces of one; a prediction that failed is no answer', () => {
  const decode = (body: object) => replicateChat.decode(answerOf(JSON.stringify(body)), targetOf(LLAMA))
  for (const output of ['pong', ['po', 'ng']])
    assert.equal(decode({ id: 'p', status: 'succeeded', output }).choices[0]?.message['content'], 'pong')
  for (const [body, kind] of [
    [{ id: 'p', status: 'succeeded', output: [] }, 'empty'],
    [{ id: 'p', status: 'succeeded', output: { text: 'x' } }, 'wrong_shape'],
    [{ id: 'p', status: 'succeeded', output: ['a', 1] }, 'wrong_shape'],
    [{ id: 'p', status: 'processing', output: 'po' }, 'wrong_shape'],
    [{ id: 'p', status: 'canceled', output: null }, 'server_error'],
    [{ id: 'p', status: 'failed', error: 'flagged as sensitive' }, 'content_policy'],
  ] as const)
    assert.throws(() => decode(body), { kind }, JSON.stringify(body))
})

test('no calls are no tool calls, and what the system says alone is what is to be answered', () => {
  for (const calls of [[], null])
    assert.deepEqual(
      inputOf({ messages: [PING, { role: 'assistant', content: 'pong', tool_calls: calls }, PING] }),
      {
        prompt: 'User: ping\n\nAssistant: pong\n\nUser: ping\n\nAssistant:',
      },
    )
  assert.deepEqual(inputOf({ messages: [{ role: 'system', content: 'Say pong.' }] }), { prompt: 'Say pong.' })
})
