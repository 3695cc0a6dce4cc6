import assert from 'node:assert/strict'
import { test } from 'node:test'
import { scanObject } from '../../core/json-spans.ts'
import type { JsonObject } from '../../core/json.ts'
import { answerOf, deploymentOf } from '../adapter.contract.ts'
import type { Target } from '../adapter.ts'
import { huggingFace } from './adapter.ts'
import { featuresUrl, modelName, modelsUrl, openAiUrl, ROUTER } from './address.ts'
import { huggingFaceEmbed } from './embed.ts'

const target = (base: string, model = 'BAAI/bge-small'): Target => ({
  provider: 'huggingface',
  model,
  base,
  bodyDefaults: {},
})
const OWN = 'https://abc.us-east-1.aws.endpoints.huggingface.cloud'

for (const [base, url] of [
  [ROUTER, 'https://router.huggingface.co/v1/chat/completions'],
  [OWN, `${OWN}/v1/chat/completions`],
  [`${OWN}/v1`, `${OWN}/v1/chat/completions`],
  [`${OWN}/v1/chat/completions`, `${OWN}/v1/chat/completions`],
] as const)
  test(`a chat with api_base ${base} goes to ${url}`, () => {
    assert.equal(openAiUrl({ base }, 'chat'), url)
    assert.equal(modelsUrl({ base }), url.replace('chat/completions', 'models'))
  })

for (const [base, url] of [
  [ROUTER, 'https://router.huggingface.co/hf-inference/models/BAAI/bge-small/pipeline/feature-extraction'],
  [OWN, OWN],
  [`${OWN}/pipeline/feature-extraction`, `${OWN}/pipeline/feature-extraction`],
] as const)
  test(`vectors with api_base ${base} come from ${url}`, () => assert.equal(featuresUrl(target(base)), url))

test('a provider before the name is one behind it at the router, and at the router alone', () => {
  assert.equal(
    modelName(target(ROUTER, 'together/deepseek-ai/DeepSeek-R1')),
    'deepseek-ai/DeepSeek-R1:together',
  )
  assert.equal(modelName(target(ROUTER, 'openai/gpt-oss-120b:cerebras')), 'openai/gpt-oss-120b:cerebras')
  assert.equal(modelName(target(OWN, 'a/b/c')), 'a/b/c')
})

test('texts become inputs; a size is asked of an endpoint, and named where it cannot be asked for', () => {
  const request = { input: ['a'], dimensions: 8, encoding_format: 'base64', user: 'u', normalize: true }
  const { body, dropped } = huggingFaceEmbed.encode(request, target(ROUTER))
  assert.deepEqual([JSON.parse(String(body)), dropped], [{ inputs: ['a'], normalize: true }, ['dimensions']])
  const own = huggingFaceEmbed.encode(request, target(OWN))
  assert.deepEqual(
    [JSON.parse(String(own.body)), own.dropped],
    [{ inputs: ['a'], dimensions: 8, normalize: true }, []],
  )
})

/** Shape: https://huggingface.co/docs/inference-providers/tasks/feature-extraction (read 2026-11-27). */
for (const [what, listed, size] of [
  [
    'a list of vectors',
    [
      [0.1, 0.2],
      [0.3, 0.4],
    ],
    2,
  ],
  ['one bare vector', [0.1, 0.2, 0.3], 3],
] as const)
  test(`${what} is read`, () => {
    const answer = huggingFaceEmbed.decode(answerOf(JSON.stringify(listed)), target(ROUTER))
    assert.equal(answer.dimensions, size)
  })

for (const [what, body, kind] of [
  ['a vector for each token', '[[[0.1],[0.2]]]', 'wrong_shape'],
  ['an error', '{"error":"Model is loading"}', 'server_error'],
  ['nothing', '', 'empty'],
] as const)
  test(`${what} is no embedding`, () => {
    assert.throws(() => huggingFaceEmbed.decode(answerOf(body), target(ROUTER)), { kind })
  })

test('an endpoint that is written with /v1 is asked for vectors in the words of OpenAI', () => {
  const { url, body } = huggingFaceEmbed.encode({ input: ['a'], dimensions: 8 }, target(`${OWN}/v1`))
  assert.equal(url, `${OWN}/v1/embeddings`)
  assert.deepEqual(JSON.parse(String(body)), { input: ['a'], dimensions: 8, model: 'BAAI/bge-small' })
})

test('a model that is being loaded says when to come back', () => {
  const loading = { error: 'Model gpt2 is currently loading', estimated_time: 20.3 }
  const error = huggingFace.classify({ ...answerOf(loading), status: 503 })
  assert.deepEqual([error.kind, error.retryAfterMs], ['overloaded', 21_000])
  const later = huggingFace.classify({ ...answerOf(loading), status: 503, headers: { 'retry-after': '3' } })
  assert.equal(later.retryAfterMs, 3_000)
})

test('a key comes from either variable', () => {
  const bare = deploymentOf('huggingface', { connection: { headers: {} } })
  for (const name of ['HUGGINGFACE_API_KEY', 'HF_TOKEN']) {
    const opened = huggingFace.connect(bare, { [name]: 'hf-key' })
    assert.ok('target' in opened)
    assert.deepEqual([opened.target.base, opened.secrets[0]?.reveal()], [ROUTER, 'hf-key'])
  }
})

test('what says no more than is so anyway stays behind, and the rest is passed on as it came', () => {
  const { chat } = huggingFace.codecs
  assert.ok(chat !== 'unsupported' && chat.relay?.takes !== undefined)
  const { relay } = chat
  const at = { ...target(ROUTER, 'a/b'), bodyDefaults: { n: 1, user: 'u', seed: 3 } }
  const takes = (body: JsonObject): unknown => {
    const bytes = Buffer.from(JSON.stringify(body))
    return relay.takes?.(at, bytes, scanObject(bytes))
  }
  for (const said of [
    {},
    { n: 2 },
    { user: 'u', store: true },
    { parallel_tool_calls: false },
    { logit_bias: { 5: 1 } },
  ])
    assert.equal(takes({ messages: [], ...said }), true, JSON.stringify(said))
  for (const unsaid of [
    { n: 1 },
    { n: null },
    { parallel_tool_calls: true },
    { logit_bias: {} },
    { n: 2, verbosity: 'medium' },
  ])
    assert.equal(takes({ messages: [], ...unsaid }), false, JSON.stringify(unsaid))
  const { body } = chat.encode(
    { messages: [], n: 1, user: 'v', logit_bias: { 5: 1 }, max_completion_tokens: 9 },
    at,
  )
  assert.deepEqual(JSON.parse(String(body)), {
    messages: [],
    logit_bias: { 5: 1 },
    max_tokens: 9,
    seed: 3,
    model: 'a/b',
  })
  const { defaults, remove } = relay.edits(at)
  assert.deepEqual([defaults, remove?.includes('user'), remove?.includes('n')], [{ seed: '3' }, true, false])
})
